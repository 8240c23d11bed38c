// The echo as a client of another make sees it: Python's `websockets`.

import LWSEchoServer
import LWSServiceLoop
import TestConditions
import TestSupport
import Testing

@Suite("The echo, for Python's websockets", .serialized)
struct PythonClientTests {
    private let server: EchoServer

    init() throws {
        server = try EchoServer()
    }

    @Test("returns 0 bytes to 1 MB, and fragments as they were", arguments: ["echo", "fragmented"])
    func plain(mode: String) throws {
        let output = try PythonWebSocketsClient.run(server.url(), "--mode", mode)
        #expect(output == "extensions: \nsubprotocol: \nok\n")
    }

    @Test(
        "with compression returns 0 bytes to 1 MB, and fragments as they were", .needsCompression,
        arguments: ["echo", "fragmented"])
    func compressed(mode: String) throws {
        let output = try PythonWebSocketsClient.run(server.url(), "--mode", mode, "--compression", "on")
        #expect(output == "extensions: permessage-deflate\nsubprotocol: \nok\n")
    }

    @Test(
        "with compression forgets between messages, and keeps to a small window, where that was agreed to",
        .needsCompression)
    func parameters() throws {
        let output = try PythonWebSocketsClient.run(
            server.url(), "--compression", "on", "--no-context-takeover", "--window-bits", "9")
        #expect(output.contains("server_no_context_takeover"))
        #expect(output.contains("client_no_context_takeover"))
        #expect(output.contains("server_max_window_bits=9"))
    }

    @Test("with compression takes messages that are not compressed too", .needsCompression)
    func mixed() throws {
        try PythonWebSocketsClient.run(server.url(), "--mode", "mixed", "--compression", "on")
    }

    @Test("is without compression where the server has it off")
    func declined() throws {
        let server = try EchoServer(.init(isCompressionEnabled: false))
        let output = try PythonWebSocketsClient.run(server.url(), "--compression", "on")
        #expect(output == "extensions: \nsubprotocol: \nok\n")
    }

    @Test("is without compression where libwebsockets was built without extensions", .lacks(.compression))
    func withoutExtensions() throws {
        let output = try PythonWebSocketsClient.run(server.url(), "--compression", "on")
        #expect(output == "extensions: \nsubprotocol: \nok\n")
    }

    @Test("refuses what inflates to more than 64 MiB", arguments: ["/echo", "/fragments/2"])
    func bomb(path: String) throws {
        try PythonWebSocketsClient.run(server.url(path), "--mode", "bomb", "--compression", "on")
    }

    @Test("comes in fragments on /fragments", arguments: ["off", "on"])
    func fragments(compression: String) throws {
        try PythonWebSocketsClient.run(
            server.url("/fragments/7"), "--mode", "frames", "7", "--compression", compression)
    }

    @Test("works over TLS, with and without compression", arguments: compressionOffAndOn)
    func tls(compression: Bool) throws {
        let certificate = try SelfSignedCertificate()
        let server = try EchoServer(
            .init(
                tls: .init(
                    certificateFile: certificate.certificateFile, privateKeyFile: certificate.privateKeyFile)))
        #expect(server.url() == "wss://127.0.0.1:\(server.port)/echo")
        let offer = compression ? "on" : "off"
        for mode in ["echo", "fragmented"] {
            try PythonWebSocketsClient.run(
                server.url(), "--mode", mode, "--compression", offer, "--insecure-ca", certificate.certificateFile)
        }
        // Nobody else vouches for it.
        let error = #expect(throws: PeerError.self) { try PythonWebSocketsClient.run(server.url()) }
        #expect(error?.description.contains("CERTIFICATE_VERIFY_FAILED") == true)
        // Its other paths work over TLS too.
        try PythonWebSocketsClient.run(
            server.url("/slow-upgrade/50"), "--mode", compression ? "mixed" : "echo", "--compression", offer,
            "--insecure-ca", certificate.certificateFile)
    }
}
