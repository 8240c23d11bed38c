// TLS inside a proxy's tunnel.

import HTTPTypes
import LWSEchoServer
import LWSServiceLoop
import TestSupport
import Testing

@testable import LWSWebSocket

@Suite("TLS through a proxy", .serialized)
struct SecureProxyTests {
    private func configuration(
        _ port: Int, username: String? = nil, password: String? = nil,
        _ change: (inout ClientConfiguration) -> Void = { _ in }
    ) throws -> ClientConfiguration {
        try SecureFaults.configuration {
            $0.proxy = Proxy(host: "127.0.0.1", port: port, username: username, password: password)
            change(&$0)
        }
    }

    @Test("goes both ways, large messages too, and the server sees what it sees without a proxy")
    func tunnel() throws {
        let (server, tinyproxy) = (try SecureFaults.pythonServer(), try TinyProxy())
        defer {
            server.stop()
            tinyproxy.stop()
        }
        let client = try WebSocketClient(
            server.url("/tls", host: "localhost"),
            configuration: configuration(tinyproxy.port) { $0.maxFrameSize = 1 << 20 })
        let facts = try PythonWebSocketsServer.TLSFacts(json: client.readTextMessage())
        #expect(facts.version == "TLSv1.3" && facts.serverName == "localhost" && facts.protocol == nil)
        #expect(client.tlsInfo?.peerCertificates.first?.subject == "CN=localhost")
        let bytes = (0..<1_000_000).map { UInt8(truncatingIfNeeded: $0 &* 7) }
        try client.writeBinaryMessage(bytes)
        #expect(try client.readBinaryMessage() == bytes)
        try client.close()
        #expect(eventually { tinyproxy.output.contains("CONNECT localhost:\(server.port)") })
    }

    @Test("asks for the server's name, and verifies that, whatever the proxy is called")
    func names() throws {
        let (server, tinyproxy) = (try SecureFaults.pythonServer(), try TinyProxy())
        defer {
            server.stop()
            tinyproxy.stop()
        }
        var named = try SecureFaults.configuration()
        named.proxy = Proxy(host: "proxy.example", port: tinyproxy.port)
        func connect(_ url: String) throws -> WebSocketClient {
            let client = try WebSocketClient(url, named, .shared, FixedResolver(["127.0.0.2", "127.0.0.1"]))
            try client.connect()
            return client
        }
        let client = try connect(server.url("/tls", host: "localhost"))
        #expect(try PythonWebSocketsServer.TLSFacts(json: client.readTextMessage()).serverName == "localhost")
        try client.close()
        let address = try connect(server.url("/tls"))
        #expect(try PythonWebSocketsServer.TLSFacts(json: address.readTextMessage()).serverName == nil)
        try address.close()
        // A certificate for the proxy's name is none for the server's.
        let other = try SecureFaults.pythonServer(leaf: .wrongHost)
        defer { other.stop() }
        named.proxy = Proxy(host: "other.test", port: tinyproxy.port)
        let error = failure { try connect(other.url("/tls", host: "localhost")) }
        #expect(error?.code == .ssl)
        #expect(error?.description.contains("wrong host: it is not for localhost but for other.test") == true)
        named.secureSocket?.serverName = "other.test"
        let renamed = try connect(other.url("/tls", host: "localhost"))
        #expect(try PythonWebSocketsServer.TLSFacts(json: renamed.readTextMessage()).serverName == "other.test")
        try renamed.close()
    }

    @Test("needs the proxy's credentials first, which the server never sees")
    func credentials() throws {
        let (server, tinyproxy) = (
            try SecureFaults.pythonServer(), try TinyProxy(credentials: ("user", "passw0rd"))
        )
        defer {
            server.stop()
            tinyproxy.stop()
        }
        let right = try configuration(tinyproxy.port, username: "user", password: "passw0rd")
        let client = try WebSocketClient(server.url("/headers"), configuration: right)
        let headers = try client.readTextMessage()
        #expect(!headers.lowercased().contains("proxy"))
        try client.close()
        let none = failure {
            try WebSocketClient(server.url(), configuration: configuration(tinyproxy.port))
        }
        #expect(none?.code == .connection)
        #expect(none?.httpResponse?.status.code == 407)
        let wrong = failure {
            try WebSocketClient(
                server.url(), configuration: configuration(tinyproxy.port, username: "user", password: "s3cret"))
        }
        #expect(wrong?.code == .connection)
        #expect(wrong?.description.contains("s3cret") == false)
        #expect(wrong?.description.contains("127.0.0.1:\(tinyproxy.port)") == true)
    }

    @Test("that refuses, or cannot reach the server, is to blame itself, and not TLS")
    func refusals() throws {
        let server = try SecureFaults.pythonServer()
        let (strict, open) = (try TinyProxy(connectPort: 443), try TinyProxy())
        defer {
            server.stop()
            strict.stop()
            open.stop()
        }
        let forbidden = failure { try WebSocketClient(server.url(), configuration: configuration(strict.port)) }
        #expect(forbidden?.code == .connection)
        #expect(forbidden?.httpResponse?.status.code == 403)
        let nobody = try FreePort.find()
        let unreachable = failure {
            try WebSocketClient("wss://127.0.0.1:\(nobody)/", configuration: configuration(open.port))
        }
        #expect(unreachable?.code == .connection)
        #expect(unreachable?.isRetriable == true)
        let port = try FreePort.find()
        let absent = failure { try WebSocketClient(server.url(), configuration: configuration(port)) }
        #expect(absent?.code == .connection)
        #expect(absent?.description.contains("The proxy 127.0.0.1:\(port) could not be reached") == true)
    }

    @Test(
        "that fails in the tunnel is ssl and names the server, not the proxy",
        arguments: [
            (.expired, "has expired"), (.selfSigned, "self-signed"), (.unknownRoot, "unknown root"),
            (.wrongHost, "wrong host"),
        ] as [(CertificateAuthority.ServerLeaf, String)])
    func certificates(_ leaf: CertificateAuthority.ServerLeaf, _ words: String) throws {
        let (server, tinyproxy) = (try SecureFaults.echoServer(leaf: leaf), try TinyProxy())
        defer {
            server.stop()
            tinyproxy.stop()
        }
        let error = failure { try WebSocketClient(server.url(), configuration: configuration(tinyproxy.port)) }
        #expect(error?.code == .ssl)
        #expect(error?.description.contains(words) == true, "\(error?.description ?? "none")")
        #expect(error?.description.contains("127.0.0.1") == true)
        #expect(error?.description.lowercased().contains("proxy") == false)
        #expect(error?.isRetriable == false)
    }

    @Test("to a server that does not speak TLS is ssl")
    func plain() throws {
        let tinyproxy = try TinyProxy()
        defer { tinyproxy.stop() }
        let server = try RawServer.answeringPlainHTTP()
        defer { server.stop() }
        let error = failure {
            try WebSocketClient(server.secureURL(), configuration: configuration(tinyproxy.port))
        }
        #expect(error?.code == .ssl)
        #expect(error?.description.contains("does not speak TLS on port \(server.port)") == true)
    }

    /// A proxy that agrees to CONNECT and then does as the script says.
    private func proxy(_ script: @escaping @Sendable (RawConnection) -> Void) throws -> RawServer {
        try RawServer { peer in
            guard (try? peer.readRequestHead()) != nil else { return }
            peer.send("HTTP/1.1 200 Connection established\r\n\r\n")
            script(peer)
        }
    }

    @Test("that breaks after CONNECT is an end of TLS, as retriable", arguments: [false, true], [false, true])
    func breaks(_ reads: Bool, _ resets: Bool) throws {
        let proxy = try proxy { peer in
            if reads { _ = try? RawServer.readRecord(peer) }
            if resets { peer.reset() } else { peer.closeConnection() }
        }
        defer { proxy.stop() }
        for _ in 0..<5 {
            let error = failure {
                try WebSocketClient("wss://server.example/", configuration: configuration(proxy.port))
            }
            #expect(error?.code == .ssl || (resets && error?.code == .connection))
            #expect(error?.isRetriable == true)
            #expect(error?.host == "server.example")
        }
    }

    @Test("that sends something else after CONNECT is ssl")
    func garbage() throws {
        for text in ["HTTP/1.1 400 Bad Request\r\n\r\n", "SSH-2.0-x\r\n", String(repeating: "\u{16}", count: 100)] {
            let proxy = try proxy { peer in
                peer.send(text)
                peer.endOutput()
                peer.waitForEnd()
            }
            defer { proxy.stop() }
            let error = failure {
                try WebSocketClient("wss://server.example/", configuration: configuration(proxy.port))
            }
            #expect(error?.code == .ssl, "\(error?.description ?? "none")")
        }
    }

    @Test("has handshakeTimeout from when the proxy has agreed, not before")
    func timeouts() throws {
        let agreeing = try proxy { $0.waitForEnd() }
        let silent = try RawServer.silent()
        let slow = try RawServer { peer in
            guard (try? peer.readRequestHead()) != nil else { return }
            _ = MonotonicSemaphore().wait(until: Deadline(after: .milliseconds(300)))
            peer.send("HTTP/1.1 200 Connection established\r\n\r\n")
            peer.waitForEnd()
        }
        defer { for server in [agreeing, silent, slow] { server.stop() } }
        func expect(
            _ code: WebSocketError.Code, after time: Duration, by proxy: RawServer, tls: Duration,
            whole: Duration = Timing.ages
        ) throws {
            let configuration = try configuration(proxy.port) {
                $0.secureSocket?.handshakeTimeout = tls
                $0.handShakeTimeout = whole
            }
            let kept = Punctuality(of: time) { () -> Void in
                let error = failure { try WebSocketClient("wss://server.example/", configuration: configuration) }
                #expect(error?.code == code)
            }
            #expect(kept.isKept, "\(kept)")
        }
        try expect(.ssl, after: .milliseconds(400), by: agreeing, tls: .milliseconds(400))
        try expect(.ssl, after: .milliseconds(600), by: slow, tls: .milliseconds(300))
        try expect(
            .handshakeTimedOut, after: .milliseconds(400), by: silent, tls: .milliseconds(100),
            whole: .milliseconds(400))
    }

    @Test("ends at once with close")
    func closed() throws {
        let begun = MonotonicSemaphore()
        let proxy = try proxy { peer in
            _ = try? RawServer.readRecord(peer)
            begun.signal()
            peer.waitForEnd()
        }
        defer { proxy.stop() }
        let client = try WebSocketClient(
            unconnected: "wss://server.example/", configuration: configuration(proxy.port))
        let connecting = try Background { try client.connect() }
        #expect(begun.wait(until: Deadline(after: Timing.ages)))
        let time = try Timing.of {
            try client.close()
            #expect(failure { try connecting.value() }?.code == .connectionClosure)
        }
        #expect(time < Timing.atOnce, "\(time)")
    }
}
