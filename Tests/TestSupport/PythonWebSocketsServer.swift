// A real server of another make: Python's `websockets`.

import Foundation

/// `Tests/Peers/python/websockets_server.py`, run by the Python of the virtual environment in `.venv` (or in
/// `$LWS_TEST_VENV`), which `make test-deps` sets up. The script's head says what each path does.
package final class PythonWebSocketsServer: Sendable {
    /// 0 where it listens on a socket of the file system.
    package let port: Int
    private let process: PeerProcess
    private let isSecure: Bool

    /// Its TLS.
    package struct TLS: Sendable {
        package var identity: TestIdentity
        /// What it sends instead of the identity's `chainFile`: PEM, the leaf first.
        package var certificateFile: String?
        /// Versions that it agrees to, and all between the two.
        package var oldest = PeerTLSVersion.tls12
        package var newest = PeerTLSVersion.tls13
        /// OpenSSL's cipher list, for TLS 1.2 and older. The default's level 0 allows weak keys and old versions.
        /// Python cannot choose the suites of TLS 1.3 before 3.15: use ``NginxServer`` for them.
        package var ciphers = "DEFAULT:@SECLEVEL=0"
        /// Asks clients for certificates of these roots (PEM), and fails the handshake of those without.
        package var clientTrustFile: String?
        /// For ALPN, best first. Where none of the client's is among them, the handshake goes on without.
        package var protocols: [String] = []
        /// Whether sessions can be resumed with tickets. Without, TLS 1.2 resumes by session identifier still.
        package var ticketsEnabled = true

        package init(_ identity: TestIdentity) { self.identity = identity }

        var arguments: [String] {
            var list = ["--tls-certificate", certificateFile ?? identity.chainFile]
            list += ["--tls-key", identity.privateKeyFile, "--tls-versions", oldest.rawValue, newest.rawValue]
            list += ["--tls-ciphers", ciphers, "--tls-protocols", protocols.joined(separator: ",")]
            list += ["--tls-tickets", ticketsEnabled ? "on" : "off"]
            return list + (clientTrustFile.map { ["--tls-client-trust", $0] } ?? [])
        }
    }

    /// What `/tls` sends as its first message, in JSON: what the server has seen of TLS.
    package struct TLSFacts: Sendable, Equatable, Decodable {
        /// Such as "TLSv1.3"; `nil`: there is no TLS.
        package let version: String?
        /// OpenSSL's name of the cipher suite.
        package let cipher: String?
        /// The name that the client asked for (SNI); `nil`: it sent none.
        package let serverName: String?
        /// What ALPN agreed on.
        package let `protocol`: String?
        /// Whether the session was resumed.
        package let reused: Bool
        /// Of the client's certificate, as in "CN=client".
        package let subject: String?
        /// Of the client's certificate, in upper-case hexadecimal digits.
        package let serial: String?

        package init(json: String) throws { self = try JSONDecoder().decode(Self.self, from: Data(json.utf8)) }
    }

    /// Starts the server and returns when it listens.
    /// - Parameters:
    ///   - port: 0 for any.
    ///   - compression: whether it agrees to permessage-deflate.
    ///   - maxSize: the longest message that it accepts; `nil`: no limit.
    ///   - maxQueue: how many messages it reads ahead of the code that handles them.
    ///   - unixSocket: listens on this socket of the file system instead of a port.
    ///   - tls: speaks TLS like this.
    package init(
        port: Int = 0, compression: Bool = false, maxSize: Int? = nil, maxQueue: Int? = nil,
        unixSocket: String? = nil,
        tls: TLS? = nil
    ) throws {
        var arguments = ["--port", String(port), "--compression", compression ? "on" : "off"]
        if let maxSize { arguments += ["--max-size", String(maxSize)] }
        if let maxQueue { arguments += ["--max-queue", String(maxQueue)] }
        if let unixSocket { arguments += ["--unix", unixSocket] }
        if let tls { arguments += tls.arguments }
        isSecure = tls != nil
        process = try PeerProcess(python: "websockets_server.py", arguments)
        let line = try process.waitForLine("ready ")
        guard let port = unixSocket == nil ? Int(line) : 0 else { throw PeerError("no port in \"ready \(line)\"") }
        self.port = port
    }

    /// An address to connect to, with "wss" where it speaks TLS.
    /// - Parameter host: a name or address that leads to 127.0.0.1, which it listens on.
    package func url(_ path: String = "/echo", host: String = "127.0.0.1") -> String {
        "\(isSecure ? "wss" : "ws")://\(host):\(port)\(path)"
    }

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
