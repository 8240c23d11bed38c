// lws-conformance: a client for the Autobahn test suite's fuzzing server.

import ArgumentParser
import LWSWebSocket
import Logging

@main
struct LWSConformance: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "lws-conformance",
        abstract: "Runs every case of an Autobahn fuzzing server: echoes what it is sent until the connection ends.")

    @Argument(help: "The server, such as ws://127.0.0.1:9001.")
    var server: String
    @Option(help: "The name under which the server reports.")
    var agent = "swift-lws"

    func run() throws {
        LoggingSystem.bootstrap { _ in SwiftLogNoOpLogHandler() }
        let count = try WebSocketClient("\(server)/getCaseCount", configuration: settings).readTextMessage()
        guard let count = Int(count), count > 0 else { throw ValidationError("the server names no number of cases") }
        var unexpected = 0
        for number in 1...count {
            guard let error = echo("\(server)/runCase?case=\(number)&agent=\(agent)") else { continue }
            unexpected += 1
            print("case \(number) of \(count): \(error)")
        }
        // Answers with a close frame when the reports are written.
        _ = echo("\(server)/updateReports?agent=\(agent)")
        guard unexpected == 0 else { throw ExitCode.failure }
    }

    /// Echoes until the connection ends. Returns an error that no peer can cause while the client works.
    private func echo(_ url: String) -> WebSocketError? {
        do throws(WebSocketError) {
            let client = try WebSocketClient(url, configuration: settings)
            while true {
                switch try client.readMessage() {
                case .text(let text): try client.writeTextMessage(text)
                case .binary(let bytes): try client.writeBinaryMessage(bytes)
                }
            }
        } catch {
            let expected: [WebSocketError.Code] = [.connectionClosure, .corruptedFrame, .invalidContinuationFrame]
            return expected.contains(error.code) ? nil : error
        }
    }

    private var settings: ClientConfiguration {
        var configuration = ClientConfiguration()
        // Messages of up to 16 MiB in one frame; the slowest cases send 1,000 messages of 128 KiB, compressed in Python.
        configuration.maxFrameSize = 32 << 20
        configuration.readTimeout = .seconds(180)
        configuration.writeTimeout = .seconds(180)
        return configuration
    }
}
