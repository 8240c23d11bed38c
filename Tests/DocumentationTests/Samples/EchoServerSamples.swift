// What TestingWithTheEchoServer.md shows.

// sample: a-test
import LWSEchoServer
import LWSWebSocket
import Testing
// sample end
import TestSupport

extension Samples {
    @Suite("Testing with the echo server")
    struct EchoServing {
        // sample: a-test
        @Test("a refusal is told to the user")
        func refusal() throws {
            let server = try EchoServer()  // a free port; it stops when it is no longer referred to
            let error = #expect(throws: WebSocketError.self) {
                try WebSocketClient(server.url("/refuse/403"))
            }
            #expect(error?.code == .invalidHandshake)
            #expect(error?.isRetriable == false)
        }
        // sample end

        // sample: faults
        @Test(
            "what a server may do",
            arguments: [
                "/close/4000/enough": WebSocketError.Code.connectionClosure,
                "/drop": .connectionClosure,
                "/silent": .readTimedOut,
            ])
        func faults(path: String, code: WebSocketError.Code) throws {
            let server = try EchoServer()
            var configuration = ClientConfiguration()
            configuration.readTimeout = .milliseconds(100)
            let client = try WebSocketClient(server.url(path), configuration: configuration)
            let error = #expect(throws: WebSocketError.self) { try client.readMessage() }
            #expect(error?.code == code)
        }
        // sample end

        @Test("a server with settings")
        func settings() throws {
            let identity = try CertificateAuthority.shared.server(.good)
            let (certificate, key) = (identity.chainFile, identity.privateKeyFile)
            // sample: echo-server-settings
            var settings = EchoServer.Configuration()
            settings.subProtocols = ["feed.v2", "feed.v1"]
            settings.isCompressionEnabled = false
            settings.tls = EchoServer.TLS(certificateFile: certificate, privateKeyFile: key)
            let server = try EchoServer(settings)
            print(server.url())  // wss://127.0.0.1:…/echo
            // sample end
            #expect(Printed.take() == ["wss://127.0.0.1:\(server.port)/echo"])
        }

        @Test("a server that comes back")
        func comesBack() throws {
            // sample: restart
            let first = try EchoServer()
            let client = try WebSocketClient(first.url())
            first.stop()  // closes each connection with 1001, and waits for that
            let second = try EchoServer(EchoServer.Configuration(port: first.port))
            // sample end
            let error = #expect(throws: WebSocketError.self) { try client.readMessage() }
            #expect(error?.closure?.code == 1001)
            #expect(second.port == first.port && second.connectionCount == 0)
        }
    }
}
