// What README.md shows.

import HTTPTypes
import LWSEchoServer
// sample: readme-tour
import LWSWebSocket
// sample end
import TestSupport
import Testing

extension Samples {
    @Suite("README")
    struct Readme {
        @Test("the tour")
        func tour() throws {
            let server = try EchoServer()
            // sample: readme-tour
            // where server.url() is shown as "ws://localhost:9001/echo"
            let client = try WebSocketClient(server.url())  // returns when the connection is open

            try client.writeTextMessage("Hello, WebSocket!")  // returns when the operating system has it all
            let text = try client.readTextMessage()  // blocks until the next message is there

            try client.writeBinaryMessage([0xca, 0xfe])
            switch try client.readMessage() {  // of either kind
            case .text(let text): print(text)
            case .binary(let bytes): print(bytes.count, "bytes")
            }

            try client.writeMessages([.text("many"), .text("at once")])  // in as few pieces as the system takes

            try client.ping(Array("are you there?".utf8))
            try client.close(statusCode: 1000, reason: "done")  // waits for the peer's close frame, 60 s at most
            // sample end
            #expect(text == "Hello, WebSocket!" && Printed.take() == ["2 bytes"])
        }

        struct Pongs: PingPongHandler {
            func onPong(_ payload: [UInt8]) {}
        }

        @Test("the configuration, which is checked and not used: there is no such proxy")
        func configuration() throws {
            // sample: readme-configuration
            // where unconnected:  is shown as
            var configuration = ClientConfiguration()
            configuration.readTimeout = .seconds(30)  // per read; the connection stays open when it expires
            configuration.writeTimeout = .seconds(5)  // per write
            configuration.handShakeTimeout = .seconds(10)  // from the look-up of the name to the server's answer
            configuration.maxFrameSize = 1 << 20  // bytes of one frame, both ways (65,536 unless you say otherwise)
            configuration.maxMessageSize = 16 << 20  // bytes of one incoming message
            try configuration.addHeader("X-Client", "tour")  // refused where it could change the request
            configuration.subProtocols = ["feed.v2", "feed.v1"]  // the server chooses one: negotiatedSubProtocol
            configuration.cookies = [Cookie(name: "session", value: "1234")]
            configuration.webSocketCompressionEnabled = false  // permessage-deflate, offered unless you say so
            configuration.compression.level = 6  // 1 to 9, with the windows and takeovers beside it
            configuration.pingInterval = .seconds(20)  // keep-alive: pings of its own
            configuration.pongTimeout = .seconds(5)  // a peer silent for so long after one is lost
            configuration.proxy = Proxy(host: "proxy.example.com", port: 8080)  // or .environment; none by default
            configuration.localAddress = "192.0.2.1"  // where to connect from: an address or an interface
            configuration.pingPongHandler = Pongs()  // told of every pong, on a background thread
            configuration.retryConfig = WebSocketRetryConfig(maxCount: 20, backOffFactor: 2)  // see below
            configuration.followRedirects = 3  // of the handshake; nothing private goes to another origin

            let client = try WebSocketClient(unconnected: "ws://example.com/feed", configuration: configuration)
            // sample end
            #expect(!client.isOpen)
        }

        @Test("connecting again")
        func retrying() throws {
            let server = try EchoServer()
            let port = server.port
            server.stop()
            var configuration = ClientConfiguration()
            // sample: readme-retry
            // where .milliseconds(5) is shown as .milliseconds(500)
            configuration.retryConfig = WebSocketRetryConfig(interval: .milliseconds(5), backOffFactor: 2) { event in
                print("attempt \(event.attempt) in \(event.wait): \(event.error)")
            }
            // sample end
            let connecting = try Background { [configuration] in
                try WebSocketClient("ws://127.0.0.1:\(port)/echo", configuration: configuration)
            }
            #expect(Printed.take(1).first?.hasPrefix("attempt 0 in 0.005 seconds: ") == true)
            let again = try EchoServer(EchoServer.Configuration(port: port))
            try connecting.value().close()
            again.stop()
            _ = Printed.take()
        }

        @Test("TLS")
        func secure() throws {
            let authority = try CertificateAuthority.shared
            let (shown, own) = (try authority.server(.good), try authority.client(.ecdsa))
            let server = try EchoServer(
                EchoServer.Configuration(
                    tls: EchoServer.TLS(certificateFile: shown.chainFile, privateKeyFile: shown.privateKeyFile)))
            let pin = try #require(PublicKeyPin(base64: try shown.publicKeyPinBase64()))
            let (password, key) = ("secret", try own.encryptedKeyFile())
            let revoked = try authority.crlFile
            var configuration = ClientConfiguration()
            // sample: readme-tls
            // where .file(authority.rootFile) is shown as "company-root.pem"
            // where .file(own.chainFile) is shown as "client.pem"
            // where .file(key) is shown as "client.key"
            // where .file(revoked) is shown as "revoked.pem"
            // where server.url() is shown as "wss://feed.example.com/"
            var tls = ClientSecureSocket()
            tls.cert = .pem(.file(authority.rootFile))  // or .directory(…), .pkcs12(…)
            // A certificate of the client's; or .pkcs12(…).
            tls.key = .pem(certFile: .file(own.chainFile), keyFile: .file(key), keyPassword: password)
            tls.protocol = [.tls13]
            tls.ciphers = ["TLS_AES_256_GCM_SHA384"]  // IANA's names or OpenSSL's
            tls.certValidation = .crl(.file(revoked), .soft)  // or .ocspStapling(.hard)
            tls.pinnedPublicKeys = [pin]  // SHA-256 of a public key in the server's chain
            tls.handshakeTimeout = .seconds(5)
            configuration.secureSocket = tls

            let client = try WebSocketClient(server.url(), configuration: configuration)
            if let info = client.tlsInfo {
                print(info.version, info.cipherSuite, info.isResumed)  // TLS 1.3 TLS_AES_256_GCM_SHA384 false
                print(info.peerCertificates.first?.alternativeNames ?? [])
            }
            // sample end
            let lines = Printed.take()
            #expect(lines.first == "TLS 1.3 TLS_AES_256_GCM_SHA384 false")
            #expect(lines.last?.contains("localhost") == true)
        }
    }
}
