// What is logged, kept for tests.

import LWSServiceLoop
import Logging
import TestSupport

@testable import LWSWebSocket

/// Keeps what a client logs.
final class RecordedLog: Sendable {
    struct Line: Sendable, CustomStringConvertible {
        let level: Logger.Level
        let message: String
        let facts: [String: String]
        var description: String { "\(level): \(message)" }
    }

    private let kept = Locked<[Line]>([])
    private let level: Locked<Logger.Level>
    private let happened: @Sendable (Line) -> Void

    /// - Parameter happened: called by the log handler, where the line is logged.
    init(_ level: Logger.Level = .trace, _ happened: @escaping @Sendable (Line) -> Void = { _ in }) {
        self.level = Locked(level)
        self.happened = happened
    }

    /// But for what the first client of the process is told of libwebsockets, whichever test that is in.
    var lines: [Line] { kept.withLock { $0 }.filter { $0.description != "debug: \(libraryVersion)" } }
    /// All lines of clients and of libwebsockets, with all that they say.
    var texts: [String] { lines.map { "\($0) \($0.facts)" } }
    var messages: [String] { lines.map(\.message) }
    /// Those that nobody should have to ask for.
    var warnings: [String] { lines.filter { $0.level >= .warning }.map(\.description) }
    /// What was said of the library, too.
    var everything: [String] { kept.withLock { $0 }.map(\.description) }

    var logger: Logger {
        Logger(label: "test") { [kept, level, happened] _ in Handler(lines: kept, happened: happened, level: level)
        }
    }

    /// Of all its loggers, at once.
    func setLevel(_ level: Logger.Level) { self.level.withLock { $0 = level } }

    /// Of a client that logs here, and does not compress.
    var configuration: ClientConfiguration {
        var configuration = ClientConfiguration()
        configuration.logger = logger
        configuration.webSocketCompressionEnabled = false
        (configuration.readTimeout, configuration.handShakeTimeout) = (Timing.ages, Timing.ages)
        return configuration
    }

    private struct Handler: LogHandler {
        let lines: Locked<[Line]>
        let happened: @Sendable (Line) -> Void
        let level: Locked<Logger.Level>
        var metadata: Logger.Metadata = [:]

        var logLevel: Logger.Level {
            get { level.withLock { $0 } }
            set { level.withLock { $0 = newValue } }
        }

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        func log(event: LogEvent) {
            let facts = (event.metadata ?? [:]).mapValues { "\($0)" }
            let line = Line(level: event.level, message: "\(event.message)", facts: facts)
            lines.withLock { $0.append(line) }
            happened(line)
        }
    }
}

/// libwebsockets' own lines below notice, which are left out where it was built without `_DEBUG` (lws-logs.h), as by
/// `-DCMAKE_BUILD_TYPE=Release`.
enum LibraryDetails {
    static let areBuiltIn: Bool = {
        let log = RecordedLog()
        LWSLog.setLevel(.debug, on: log.logger)
        defer { LWSLog.setLevel(.warning) }
        _ = failure { try WebSocketClient("ws://127.0.0.1:1/", loop: WebSocketLoop()) }
        return log.lines.contains { $0.level < .notice }
    }()
}
