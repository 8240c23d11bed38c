// lws's own log lines.

import LWSServiceLoop
import Logging
import TestSupport
import Testing

@testable import LWSWebSocket

@Suite("libwebsockets' log", .serialized)
struct LogTests {
    /// The lines of a connect that is refused.
    private func lines(at level: Logger.Level) throws -> [String] {
        let log = RecordedLog()
        LWSLog.setLevel(level, on: log.logger)
        defer { LibwebsocketsLog.setLevel(.warning) }
        let server = try RawServer { peer in
            _ = try? peer.acceptUpgrade(acceptOverride: "AAAAAAAAAAAAAAAAAAAAAAAAAAA=")
            peer.waitForEnd()
        }
        #expect(failure { try WebSocketClient(server.url(), loop: WebSocketLoop()) }?.code == .invalidHandshake)
        return log.lines.map(\.description)
    }

    @Test("goes to a swift-log logger, without time stamps and line ends")
    func lines() throws {
        let lines = try lines(at: .warning)
        #expect(lines.contains { $0.contains("AAAAAAAAAAAAAAAAAAAAAAAAAAA=") })
        #expect(lines.allSatisfy { $0.hasPrefix("warning: ") || $0.hasPrefix("error: ") })
        #expect(lines.allSatisfy { !$0.contains("\n") && !$0.contains(": [20") })
    }

    @Test("is silent below the level that is chosen, and more talkative above")
    func levels() throws {
        #expect(try lines(at: .critical).isEmpty)
        #expect(try lines(at: .info).count > lines(at: .warning).count)
    }
}
