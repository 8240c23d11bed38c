// What WatchingConnections.md shows.

import LWSEchoServer
import LWSWebSocket
import Logging
import Testing

extension Samples {
    @Suite("Watching connections")
    struct Watching {
        @Test("the log at the level debug")
        func debugLog() throws {
            let server = try EchoServer()
            var configuration = ClientConfiguration()
            configuration.logger = Logger(label: "sample") { _ in PrintingLog() }
            // sample: debug-log
            // where server.url() is shown as "ws://localhost:9001/echo"
            configuration.logger.logLevel = .debug
            let client = try WebSocketClient(server.url(), configuration: configuration)
            // sample end
            try client.close()
            let lines = Printed.take().filter { !$0.hasPrefix("libwebsockets") }
            #expect(lines.first == "connecting" && lines.contains("open") && lines.last == "closed")
        }
    }
}

/// Prints as the samples do.
private struct PrintingLog: LogHandler {
    var logLevel = Logger.Level.info
    var metadata: Logger.Metadata = [:]

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) { print("\(event.message)") }
}
