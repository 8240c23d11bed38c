// A real server of another make: Python's `websockets`.

import Foundation

/// `Tests/Peers/python/websockets_server.py`, run by the Python of the virtual environment in `.venv` (or in
/// `$LWS_TEST_VENV`), which `make test-deps` sets up. The script's head says what each path does.
package final class PythonWebSocketsServer: Sendable {
    /// 0 where it listens on a socket of the file system.
    package let port: Int
    private let process: PeerProcess

    /// Starts the server and returns when it listens.
    /// - Parameters:
    ///   - port: 0 for any.
    ///   - compression: whether it agrees to permessage-deflate.
    ///   - maxSize: the longest message that it accepts; `nil`: no limit.
    ///   - maxQueue: how many messages it reads ahead of the code that handles them.
    ///   - unixSocket: listens on this socket of the file system instead of a port.
    package init(
        port: Int = 0, compression: Bool = false, maxSize: Int? = nil, maxQueue: Int? = nil, unixSocket: String? = nil
    ) throws {
        var arguments = ["--port", String(port), "--compression", compression ? "on" : "off"]
        if let maxSize { arguments += ["--max-size", String(maxSize)] }
        if let maxQueue { arguments += ["--max-queue", String(maxQueue)] }
        if let unixSocket { arguments += ["--unix", unixSocket] }
        process = try PeerProcess(python: "websockets_server.py", arguments)
        let line = try process.waitForLine("ready ")
        guard let port = unixSocket == nil ? Int(line) : 0 else { throw PeerError("no port in \"ready \(line)\"") }
        self.port = port
    }

    package func url(_ path: String = "/echo") -> String { "ws://127.0.0.1:\(port)\(path)" }

    /// The process's number, for tests that look whether it is gone.
    package var identifier: Int32 { process.identifier }

    /// What it printed, tracebacks included.
    package var output: String { process.output }

    /// The messages that `/record` has got, in their order.
    package var recorded: [String] {
        output.split(separator: "\n").compactMap { line in
            line.hasPrefix("got ") ? String(line.dropFirst("got ".count)) : nil
        }
    }

    /// Waits until `/record` has got a message.
    package func waitUntilRecorded(_ message: String) throws { _ = try process.waitForLine("got \(message)") }

    /// Ends the server; its connections end without a close frame.
    package func stop() { process.stop() }

    /// Ends the server with SIGKILL: the peer that crashes.
    package func kill() { process.kill() }
}
