// The library's log, where the session's notes are shown.

import Logging

/// Shows the lines of a client's log from a level on.
struct SessionLog: LogHandler {
    private let output: any Output
    var logLevel: Logger.Level
    var metadata: Logger.Metadata = [:]

    private init(_ output: any Output, from level: Logger.Level) {
        self.output = output
        logLevel = level
    }

    static func logger(_ output: any Output, from level: Logger.Level) -> Logger {
        Logger(label: "lwscat") { _ in SessionLog(output, from: level) }
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        var facts = metadata.merging(event.metadata ?? [:]) { $1 }
        // There is one client.
        facts["ws_connection_id"] = nil
        let shown = facts.sorted { $0.key < $1.key }.map { " \($0.key)=\($0.value)" }.joined()
        output.note("\(event.level): \(event.message)\(shown)")
    }
}
