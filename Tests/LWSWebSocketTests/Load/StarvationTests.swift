// A loop whose thread hardly gets to run.

import Foundation
import LWSServiceLoop
import TestSupport
import Testing

@testable import LWSWebSocket

@Suite("A busy machine", .serialized)
struct StarvationTests {
    @Test("loses no message, takes no peer for silent, and lets no time limit come early")
    func spinning() throws {
        let server = try EchoProcess()
        let spinners = try (0..<4 * ProcessInfo.processInfo.activeProcessorCount).map { _ in try Spinner() }
        defer { for spinner in spinners { spinner.stop() } }
        var configuration = ClientConfiguration()
        configuration.pingInterval = .milliseconds(100)
        // Generous: the scheduler gives each of so many threads its turn many times in that time.
        configuration.pongTimeout = Timing.atOnce
        (configuration.readTimeout, configuration.writeTimeout) = (Timing.ages, Timing.ages)
        let settings = configuration
        let echoing = try (0..<12).map { index in
            try Background { () throws -> Int in
                let client = try WebSocketClient(server.url(), configuration: settings)
                let end = Deadline(after: .milliseconds(800))
                var count = 0
                while !end.hasPassed {
                    guard try client.echoes("\(index): \(count)") else {
                        throw PeerError("another message than was sent")
                    }
                    count += 1
                }
                #expect(client.isOpen)
                try client.close()
                return count
            }
        }
        var impatient = ClientConfiguration()
        impatient.readTimeout = .milliseconds(100)
        let client = try WebSocketClient(server.url("/silent"), configuration: impatient)
        for _ in 0..<5 {
            let time = Timing.of { #expect(failure { try client.readMessage() }?.code == .readTimedOut) }
            // How late is a matter of the scheduler's here. Without the limit it would be for ever.
            #expect(time >= .milliseconds(100) && time < Timing.atOnce, "\(time)")
        }
        for call in echoing { #expect(try call.value() > 0) }
    }

    /// A thread that does nothing, as fast as it can.
    private final class Spinner: Sendable {
        private let isOver = Locked(false)
        private let thread: LoopThread

        init() throws {
            thread = try LoopThread(name: "spinner") { [isOver] in
                var count: UInt64 = 0
                while !isOver.withLock({ $0 }) { for step in 0..<100_000 { count = count &* 31 &+ UInt64(step) } }
                withExtendedLifetime(count) {}
            }
        }

        func stop() {
            isOver.withLock { $0 = true }
            thread.join()
        }
    }
}
