// Blocked and suspended callers on one connection.

import LWSServiceLoop
import TestSupport
import Testing

@testable import LWSWebSocket

@Suite("Blocked and suspended callers together", .serialized)
struct MixedCallersTests {
    @Test("readers are served in the order in which they came, whichever way they wait")
    func order() async throws {
        let server = try EchoProcess()
        let client = try await WebSocketClient.connect(server.url())
        for round in 0..<20 {
            var blocked: [(Int, Background<WebSocketMessage>)] = []
            var suspended: [(Int, Task<WebSocketMessage, any Error>)] = []
            for place in 0..<6 {
                if (place + round) % 2 == 0 {
                    blocked.append((place, try Background { try client.readMessage() }))
                    #expect(await becomes { client.readers == place + 1 })
                } else {
                    suspended.append((place, await Task.receiving(from: client, behind: place)))
                }
            }
            for place in 0..<6 { try await client.send("\(round)/\(place)") }
            for (place, task) in suspended { #expect(try await value(of: task) == .text("\(round)/\(place)")) }
            for (place, reader) in blocked { #expect(try reader.value() == .text("\(round)/\(place)")) }
        }
        try await client.close()
    }

    @Test("each of many messages comes to exactly one of many callers of both kinds, and writers' frames do not mix")
    func crowd() async throws {
        let each = Sanitizer.isActive ? 100 : 500
        let server = try EchoProcess()
        var configuration = ClientConfiguration()
        configuration.maxFrameSize = 100
        let client = try await WebSocketClient.connect(server.url(), configuration: configuration)
        let seen = Locked<[String: Int]>([:])
        @Sendable func note(_ message: WebSocketMessage) {
            guard case .text(let text) = message else { return }
            seen.withLock { $0[text, default: 0] += 1 }
        }
        // Longer than a frame.
        @Sendable func text(_ writer: Int, _ number: Int) -> String {
            String(repeating: "\(writer)-\(number).", count: number % 50 + 1)
        }
        let readers = try (0..<2).map { _ in try Background { for _ in 0..<each { note(try client.readMessage()) } } }
        let writers = try (0..<2).map { writer in
            try Background { for number in 0..<each { try client.writeTextMessage(text(writer, number)) } }
        }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<2 { group.addTask { for _ in 0..<each { note(try await client.receive()) } } }
            for writer in 2..<4 {
                group.addTask { for number in 0..<each { try await client.send(text(writer, number)) } }
            }
            try await group.waitForAll()
        }
        for writer in writers { try writer.value() }
        for reader in readers { try reader.value() }
        let expected = Set((0..<4).flatMap { writer in (0..<each).map { text(writer, $0) } })
        #expect(seen.withLock { $0.count } == 4 * each)
        #expect(seen.withLock { $0.values.allSatisfy { $0 == 1 } && Set($0.keys) == expected })
        try await client.close()
    }

    @Test("a reader who is suspended is served at once when the one goes who was blocked before")
    func afterDriver() async throws {
        let server = try EchoProcess()
        let client = try await WebSocketClient.connect(server.url())
        var slowest = Duration.zero
        for _ in 0..<200 {
            try client.writeTextMessage("blocking")
            // On Linux this thread serves the connection meanwhile, and leaves it lingering.
            #expect(try client.readMessage() == .text("blocking"))
            let start = ContinuousClock.now
            try await client.send("suspended")
            #expect(try await client.receive() == .text("suspended"))
            slowest = max(slowest, .now - start)
        }
        // Where nobody served it, it would wait for ever, or until the loop looks by itself, which is a minute.
        #expect(slowest < Timing.atOnce, "\(slowest)")
        try await client.close()
    }
}
