// What readers and writers of one client get from a server that echoes.

import TestSupport
import Testing

@testable import LWSWebSocket

extension WebSocketClient {
    /// Has eight threads write and eight read, and expects of every message that somebody reads it once, whole.
    func exchangeByThreads(_ perThread: Int) throws {
        let readers = try (0..<8).map { _ in
            try Background { () -> [String] in try (0..<perThread).map { _ in try self.readTextMessage() } }
        }
        @Sendable func message(_ writer: Int, _ index: Int) -> String {
            // Up to four frames, so that mixed frames would show.
            "\(writer).\(index)." + String(repeating: "\(writer)", count: index % 400)
        }
        let writers = try (0..<8).map { writer in
            try Background {
                for index in 0..<perThread { try self.writeTextMessage(message(writer, index)) }
            }
        }
        for writer in writers { try writer.value(within: .seconds(300)) }
        let received = try readers.flatMap { try $0.value(within: .seconds(300)) }
        let expected = (0..<8).flatMap { writer in (0..<perThread).map { message(writer, $0) } }
        #expect(received.count == expected.count)
        #expect(received.sorted() == expected.sorted())
    }

    /// Reads the messages of `/push`, and expects each to be what it should be.
    func readPushed(_ count: Int, of size: Int, _ each: (Int) throws -> Void = { _ in }) throws {
        for index in 0..<count {
            let message = try readBinaryMessage()
            let isRight =
                message.count == size && message[0] == UInt8(truncatingIfNeeded: index)
                && message[size - 1] == UInt8(truncatingIfNeeded: index + size - 1)
            if !isRight { Issue.record("message \(index) is wrong") }
            try each(index)
        }
    }
}
