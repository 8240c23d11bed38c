// lws's log lines, handed to swift-log.

import CLibWebSockets
package import Logging

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// The bridge from lws's own log to a swift-log `Logger` labelled `lws`.
///
/// lws has one log for the whole process. What is below the level is not even formatted: the level is passed on to
/// lws as its mask.
package enum LWSLog {
    private static let current = Locked<Logger?>(nil)

    /// Sends lws's log to swift-log. The first loop does it; errors and warnings are on, the rest is off.
    static func install() {
        current.withLock { if $0 == nil { use(Logger(label: "lws"), .warning, &$0) } }
    }

    /// Chooses how much of lws's log is passed on. lws's `info` and `debug` are many lines per message.
    package static func setLevel(_ level: Logger.Level, on logger: Logger = Logger(label: "lws")) {
        current.withLock { use(logger, level, &$0) }
    }

    /// From any thread, whoever holds loops: there is one log for all of them. Where to send lines is set once, before the first
    /// context exists; after that it is a number that lws keeps in one word and reads without a lock (core/logs.c:
    /// lws_set_log_level, 4.1 to 5.0), so that at worst a line is written by the level before.
    private static func use(_ logger: Logger, _ level: Logger.Level, _ current: inout Logger?) {
        let isFirst = current == nil
        current = logger
        current?.logLevel = level
        guard isFirst else { return lws_set_log_level(mask(for: level), nil) }
        lws_set_log_level(mask(for: level)) { level, line in
            guard let line, !clws_is_idle_talk(line) else { return }
            LWSLog.emit(level, String(cString: line))
        }
    }

    private static let levels: [(Logger.Level, Int32)] = [
        (.error, 1 << 0), (.warning, 1 << 1), (.notice, 1 << 2), (.info, 1 << 3), (.debug, 1 << 4),
    ]

    private static func mask(for level: Logger.Level) -> Int32 {
        levels.reduce(0) { $1.0 >= level ? $0 | $1.1 : $0 }
    }

    private static func emit(_ bit: Int32, _ line: String) {
        let level = levels.first { $0.1 == bit }?.0 ?? .debug
        guard let logger = current.withLock({ $0 }) else { return }
        let before = errno
        defer { errno = before }
        ForkedProcess.callOut { logger.log(level: level, "\(message(in: line))") }
    }

    /// The line without lws's time stamp and level letter ("[2026/11/23 15:37:39:2662] N: …"), which swift-log's
    /// handler writes in its own way, and without the line's end.
    static func message(in line: String) -> Substring {
        var text = line[...]
        while text.last?.isNewline == true { text.removeLast() }
        guard text.first == "[", let bracket = text.firstIndex(of: "]") else { return text }
        let rest = text[text.index(after: bracket)...]
        guard let colon = rest.firstIndex(of: ":") else { return text }
        return rest[rest.index(after: colon)...].drop { $0 == " " }
    }
}
