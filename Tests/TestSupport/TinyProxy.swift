// A real HTTP proxy: Debian's tinyproxy.

import Foundation

/// `tinyproxy` on a free port of 127.0.0.1, with a configuration of its own in a temporary folder.
package final class TinyProxy: Sendable {
    package let port: Int
    private let process: PeerProcess
    private let folder: URL

    /// - Parameters:
    ///   - credentials: user name and password that it asks for.
    ///   - connectPort: the one port that CONNECT may go to; `nil`: any.
    package init(credentials: (user: String, password: String)? = nil, connectPort: Int? = nil) throws {
        let places = ["/usr/bin", "/usr/sbin", "/usr/local/bin", "/opt/homebrew/bin"]
        guard let program = places.map({ $0 + "/tinyproxy" }).first(where: { access($0, X_OK) == 0 }) else {
            throw PeerError("tinyproxy is missing: run `make test-deps` first")
        }
        folder = FileManager.default.temporaryDirectory.appending(path: "tinyproxy-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        var lines = ["Listen 127.0.0.1", "Allow 127.0.0.1", "Timeout 60", "MaxClients 100", "LogLevel Connect"]
        if let credentials { lines.append("BasicAuth \(credentials.user) \(credentials.password)") }
        if let connectPort { lines.append("ConnectPort \(connectPort)") }
        do {
            (process, port) = try Self.start(program, lines, folder, attempts: 5)
        } catch {
            try? FileManager.default.removeItem(at: folder)
            throw error
        }
    }

    deinit { stop() }

    /// It does not take port 0, so a port is looked for first, and another one where somebody was faster.
    private static func start(
        _ program: String, _ lines: [String], _ folder: URL, attempts: Int
    ) throws -> (PeerProcess, Int) {
        let port = try FreePort.find()
        let file = folder.appending(path: "tinyproxy.conf")
        let text = (lines + ["Port \(port)", ""]).joined(separator: "\n")
        try text.write(to: file, atomically: true, encoding: .utf8)
        // -d: in the foreground, with its log on the standard output.
        let process = try PeerProcess(program, ["-d", "-c", file.path])
        do {
            try process.waitUntilListening(on: port)
            return (process, port)
        } catch {
            guard attempts > 1, !process.isRunning else { throw error }
            return try start(program, lines, folder, attempts: attempts - 1)
        }
    }

    /// Its log.
    package var output: String { process.output }

    package func stop() {
        process.stop()
        try? FileManager.default.removeItem(at: folder)
    }
}
