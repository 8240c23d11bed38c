// What proxies are asked, to the letter.

import Foundation
import HTTPTypes
import LWSServiceLoop
import TestSupport
import Testing

@testable import LWSWebSocket

@Suite("What a proxy is asked", .serialized)
struct ProxyRequestTests {
    /// A proxy that knows `Basic` in this spelling alone, and is the server as well. It resets a connection when it was open.
    private func strictProxy(_ heads: Locked<[String]>, losses: Int = 0) throws -> NumberedServer {
        let right = "Proxy-Authorization: Basic \(Data("user:s3cret".utf8).base64EncodedString())"
        return try NumberedServer { number, peer in
            let head = try peer.readRequestHead()
            heads.withLock { $0.append(head) }
            guard head.components(separatedBy: "\r\n").contains(right) else {
                peer.send("HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
                return peer.waitForEnd()
            }
            peer.send("HTTP/1.1 200 Connection established\r\n\r\n")
            try peer.acceptUpgrade()
            guard number >= losses else { return peer.reset() }
            peer.sendFrame(opcode: 1, Array("open".utf8))
            peer.sendFrame(opcode: 8, try peer.readFrame().payload)
        }
    }

    private func configuration(_ port: Int, _ log: RetryLog? = nil) -> ClientConfiguration {
        var configuration = log?.configuration(interval: .milliseconds(1)) ?? ClientConfiguration()
        configuration.proxy = Proxy(host: "127.0.0.1", port: port, username: "user", password: "s3cret")
        return configuration
    }

    @Test("has the credentials with the scheme's name as RFC 7617 spells it, after five losses too")
    func scheme() throws {
        let heads = Locked<[String]>([])
        let proxy = try strictProxy(heads, losses: 5)
        defer { proxy.stop() }
        let client = try WebSocketClient("ws://server.example/", configuration: configuration(proxy.port, RetryLog()))
        #expect(try client.readTextMessage() == "open")
        try client.close()
        let all = heads.withLock { $0 }
        #expect(all.count == 6 && Set(all).count == 1, "\(all)")
    }

    @Test("is the same for a server over TLS")
    func secure() throws {
        let heads = Locked<[String]>([])
        let proxy = try NumberedServer { _, peer in
            let head = try peer.readRequestHead()
            heads.withLock { $0.append(head) }
            peer.send("HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n")
            peer.waitForEnd()
        }
        defer { proxy.stop() }
        var settings = configuration(proxy.port)
        settings.secureSocket = try SecureFaults.configuration().secureSocket
        for scheme in ["ws", "wss"] {
            let error = failure { try WebSocketClient("\(scheme)://server.example:1/", configuration: settings) }
            #expect(error?.httpResponse?.status == 503, "\(error as Any)")
        }
        let all = heads.withLock { $0 }
        #expect(all.count == 2 && all.first == all.last && all.first?.contains("CONNECT server.example:1") == true)
    }

    @Test(
        "says who asks: the library with its version, unless the application says another, or nobody",
        arguments: [(nil, UserAgent.library), ("mine/2 (x)", "mine/2 (x)"), ("", nil)] as [(String?, String?)])
    func userAgent(_ given: String?, _ expected: String?) throws {
        let heads = Locked<[String]>([])
        let proxy = try strictProxy(heads)
        defer { proxy.stop() }
        var settings = configuration(proxy.port)
        if let given { try settings.addHeader("User-Agent", given) }
        try WebSocketClient("ws://server.example/", configuration: settings).close()
        let head = try #require(heads.withLock { $0.first })
        #expect(RawConnection.field("User-Agent", in: head) == expected)
    }
}
