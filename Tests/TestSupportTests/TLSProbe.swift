// A look at a TLS server with Python's own TLS.

import TestSupport

/// Runs `Tests/Peers/python/tls_probe.py`, whose head says what it prints.
enum TLSProbe {
    static func run(_ port: Int, _ path: String, _ options: String...) throws -> String {
        let trust = try CertificateAuthority.shared.rootFile
        let process = try PeerProcess(python: "tls_probe.py", ["\(port)", path, "--trust", trust] + options)
        guard try process.waitForExit() == .code(0) else { throw PeerError(process.output) }
        return process.output
    }

    /// What Python's server says at `/tls`, for each connection.
    static func facts(_ server: PythonWebSocketsServer, _ options: String...) throws
        -> [PythonWebSocketsServer.TLSFacts]
    {
        let trust = try CertificateAuthority.shared.rootFile
        let process = try PeerProcess(python: "tls_probe.py", ["\(server.port)", "/tls", "--trust", trust] + options)
        guard try process.waitForExit() == .code(0) else { throw PeerError(process.output) }
        let lines = process.output.split(separator: "\n").filter { $0.hasPrefix("text: ") }
        guard !lines.isEmpty else { throw PeerError(process.output) }
        return try lines.map { try .init(json: String($0.dropFirst("text: ".count))) }
    }
}
