// A real authorization server of another make: Authlib, with a WebSocket endpoint that checks its tokens.

import Foundation

/// `Tests/Peers/python/authorization_server.py`, run by the Python of the virtual environment in `.venv` (or in
/// `$LWS_TEST_VENV`), which `make test-deps` sets up. The heads of its modules say what each path does and takes.
package final class AuthorizationServer: Sendable {
    /// A client that the server knows, and its secret. Both parts of ``oddClient`` have characters that
    /// client_secret_basic has to encode; ``publicClient`` has no secret, and takes the password grant alone.
    package static let client = (identifier: "service", secret: "s3cr3t-of-service")
    package static let oddClient = (identifier: "odd:client", secret: "p@ss %w+rd&ü=:/")
    package static let publicClient = "app"
    /// For the password grant, and for HTTP Basic at `/basic`.
    package static let user = (name: "alice", password: "correct horse & battery")
    /// Of its access tokens, and what `/jwt` asks for. Clients' assertions may name ``issuer`` as their audience.
    package static let audience = "lws-tests"
    package static let issuer = "https://authorization.test"

    /// The ports, by which it can be started again where it was.
    package let tokenPort: Int
    package let socketPort: Int
    let controlPort: Int
    private let isSecure: Bool
    private let process: PeerProcess

    /// Starts the server and returns when it listens.
    /// - Parameters:
    ///   - tls: its certificate for both listeners; `nil`: http and ws.
    ///   - tokenPort: 0 for any.
    ///   - socketPort: 0 for any.
    ///   - stateFile: keeps refresh tokens and revocations there, for a server that is started again. It is made
    ///     where it is missing.
    ///   - signingKeyFile: the RSA key of its access tokens, in PEM; made where it is missing. Without, each server
    ///     has a key of its own, and takes no token of another.
    ///   - expiresIn: how many seconds an access token is good for.
    package init(
        tls: TestIdentity? = nil, tokenPort: Int = 0, socketPort: Int = 0, stateFile: String? = nil,
        signingKeyFile: String? = nil, expiresIn: Int = 3600
    ) throws {
        var arguments = ["--token-port", String(tokenPort), "--socket-port", String(socketPort)]
        arguments += ["--expires-in", String(expiresIn)]
        if let tls { arguments += ["--tls-certificate", tls.chainFile, "--tls-key", tls.privateKeyFile] }
        if let stateFile { arguments += ["--state", stateFile] }
        if let signingKeyFile { arguments += ["--signing-key", signingKeyFile] }
        isSecure = tls != nil
        process = try PeerProcess(python: "authorization_server.py", arguments)
        let line = try process.waitForLine("ready ")
        let ports = line.split(separator: " ").compactMap { Int($0) }
        guard ports.count == 3 else { throw PeerError("no three ports in \"ready \(line)\"") }
        (self.tokenPort, self.socketPort, controlPort) = (ports[0], ports[1], ports[2])
    }

    /// An address of a token endpoint: `/token`, `/token-rotating`, or one that goes wrong, `/trouble/...`.
    /// - Parameter host: a name or address that leads to 127.0.0.1, which it listens on.
    package func tokenURL(_ path: String = "/token", host: String = "localhost") -> String {
        "http\(isSecure ? "s" : "")://\(host):\(tokenPort)\(path)"
    }

    /// An address of the WebSocket endpoint.
    package func socketURL(_ path: String = "/echo", host: String = "localhost") -> String {
        "ws\(isSecure ? "s" : "")://\(host):\(socketPort)\(path)"
    }

    /// What it printed, tracebacks included.
    package var output: String { process.output }

    /// Ends the server; its connections end without a close frame.
    package func stop() { process.stop() }

    /// Ends the server with SIGKILL: the peer that crashes.
    package func kill() { process.kill() }

    /// Runs `authorization_client.py`, which does what the server's paths are for and checks what comes of it.
    /// - Returns: what it printed.
    package func check(_ options: String..., trustFile: String? = nil) throws -> String {
        let trust = trustFile.map { ["--trust", $0] } ?? []
        let arguments = [tokenURL(""), socketURL(""), String(controlPort)] + trust + options
        let client = try PeerProcess(python: "authorization_client.py", arguments)
        guard try client.waitForExit() == .code(0) else {
            throw PeerError(client.output + output)
        }
        return client.output
    }
}
