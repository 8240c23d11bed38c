// Many messages in one call.

import Foundation
import LWSEchoServer
import LWSServiceLoop
import TestConditions
import TestSupport
import Testing

@testable import LWSWebSocket

@Suite("writeMessages", .serialized)
struct BatchWritingTests {
    private static let messages: [WebSocketMessage] =
        (0..<500).map { index in
            let text = "\(index): " + String(repeating: "grüße ", count: index % 40)
            return index % 3 == 0 ? .binary(Array(text.utf8)) : .text(text)
        } + [.text(""), .binary([]), .binary([UInt8](repeating: 7, count: 200_000))]

    /// Has all messages come back, as they were.
    private func exchange(_ url: String, _ configuration: ClientConfiguration) throws {
        let client = try WebSocketClient(url, configuration: configuration)
        #expect(client.inside.compresses == configuration.webSocketCompressionEnabled)
        let writing = try Background { try client.writeMessages(Self.messages) }
        for message in Self.messages {
            let echo = try client.readMessage()
            guard echo == message else { throw PeerError("another message than was sent") }
        }
        try writing.value()
        try client.close()
    }

    @Test("sends each message as it is, in order", arguments: compressionOffAndOn)
    func order(_ compresses: Bool) throws {
        let server = try EchoServer()
        var configuration = ClientConfiguration()
        configuration.webSocketCompressionEnabled = compresses
        configuration.maxFrameSize = 1000
        configuration.readTimeout = Timing.ages
        try exchange(server.url(), configuration)
    }

    @Test("is understood by Python's websockets")
    func python() throws {
        let server = try PythonWebSocketsServer()
        defer { server.stop() }
        var configuration = ClientConfiguration()
        configuration.webSocketCompressionEnabled = false
        configuration.maxFrameSize = 1 << 20
        configuration.readTimeout = Timing.ages
        try exchange(server.url(), configuration)
    }

    @Test("lets no message of another writer come between")
    func together() throws {
        let server = try EchoServer()
        var configuration = ClientConfiguration()
        configuration.webSocketCompressionEnabled = false
        configuration.readTimeout = Timing.ages
        let client = try WebSocketClient(server.url(), configuration: configuration)
        let writers = try (0..<4).map { writer in
            try Background {
                for _ in 0..<20 { try client.writeMessages(Array(repeating: .text("\(writer)"), count: 50)) }
            }
        }
        for _ in 0..<80 {
            let batch = try (0..<50).map { _ in try client.readTextMessage() }
            #expect(Set(batch).count == 1)
        }
        for writer in writers { try writer.value() }
        try client.close()
    }

    @Test("does nothing without messages, and says that the client is closed")
    func ends() throws {
        let server = try EchoServer()
        let client = try WebSocketClient(server.url())
        try client.writeMessages([])
        try client.close()
        #expect(failure { try client.writeMessages([.text("late")]) }?.code == .connectionClosure)
    }

    @Test("ends the connection where its time is up and a part has left")
    func timeout() throws {
        let server = try EchoServer()
        let large = Array(repeating: WebSocketMessage.binary([UInt8](repeating: 1, count: 60_000)), count: 400)
        // Where the machine is too busy for a part to leave in time, the connection stays open.
        let hasEnded = try succeedsWithSomeLimit { limit in
            var configuration = ClientConfiguration()
            configuration.webSocketCompressionEnabled = false
            configuration.writeTimeout = limit
            let client = try WebSocketClient(server.url("/silent"), configuration: configuration)
            let error = failure { try client.writeMessages(large) }
            #expect(error?.code == .writeTimedOut)
            return !client.isOpen
        }
        #expect(hasEnded)
    }

    @Test("says how many have left where its time is up and they leave one by one", .needsCompression)
    func timeoutOfCompressed() throws {
        let server = try EchoServer()
        var configuration = ClientConfiguration()
        // Until the system takes no more, what it takes has to be compressed.
        let limit = Duration.seconds(1)
        configuration.writeTimeout = limit
        var generator = SeededGenerator(seed: 1)
        let noise = (0..<60_000).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
        let messages = Array(repeating: WebSocketMessage.binary(noise), count: 1000)
        let kept = try Punctuality(of: limit) { () -> Duration in
            let client = try WebSocketClient(server.url("/silent"), configuration: configuration)
            #expect(client.inside.compresses)
            var error: WebSocketError?
            let time = Timing.of { error = failure { try client.writeMessages(messages) } }
            #expect(error?.code == .writeTimedOut)
            #expect(error?.isRetriable == false)
            #expect(error?.description.contains("of the 1000 messages had been sent before") == true)
            return time
        }
        #expect(kept.isKept, "\(kept)")
    }
}
