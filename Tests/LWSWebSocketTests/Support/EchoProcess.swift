// The echo server as a process of its own, which lacks nothing when the tests' process does.

import LWSServiceLoop
import TestSupport

@testable import LWSWebSocket

final class EchoProcess: Sendable {
    private let process: PeerProcess
    private let scheme: String
    private let port: Int

    init(secure: Bool = false) throws {
        var arguments = ["--port", "0"]
        if secure {
            let identity = try CertificateAuthority.shared.server(.good)
            arguments += ["--tls-cert", identity.chainFile, "--tls-key", identity.privateKeyFile]
        }
        process = try PeerProcess(try BuiltProgram.path("lws-echo-server"), arguments)
        let address = try process.waitForLine("listening on ")
        scheme = secure ? "wss" : "ws"
        port = try WebSocketURL(address).port
    }

    deinit { process.stop() }

    func url(_ path: String = "/echo", host: String = "127.0.0.1") -> String {
        "\(scheme)://\(host):\(port)\(path)"
    }
}

extension WebSocketClient {
    /// A message there and back.
    func echoes(_ text: String = "echo") throws -> Bool {
        try writeTextMessage(text)
        return try readTextMessage() == text
    }
}
