// Proxies that do what a well-behaved one would not.

import Foundation
import HTTPTypes
import LWSServiceLoop
import Logging
import TestConditions
import TestSupport
import Testing

@testable import LWSWebSocket

@Suite("A proxy at fault", .serialized)
struct ProxyFaultTests {
    private func connect(
        to proxy: RawServer, url: String = "ws://server.example/path", username: String? = nil,
        password: String? = nil, timeout: Duration = Timing.ages, loop: WebSocketLoop = .shared
    ) throws -> WebSocketClient {
        var configuration = ClientConfiguration()
        configuration.proxy = Proxy(host: "127.0.0.1", port: proxy.port, username: username, password: password)
        configuration.handShakeTimeout = timeout
        return try WebSocketClient(url, configuration: configuration, loop: loop)
    }

    /// A proxy that is the server as well: it answers CONNECT with `pieces`, one after the other, each sent when the
    /// client cannot but have seen the one before, and then accepts the upgrade.
    private func tunnel(_ pieces: [String], _ heads: Locked<[String]>? = nil) throws -> RawServer {
        try RawServer { peer in
            guard let connect = try? peer.readRequestHead() else { return }
            for (index, piece) in pieces.enumerated() {
                // Nothing tells that the client has looked; that it says nothing is what is tested.
                if index > 0, !peer.isQuiet(for: .milliseconds(50)) { return }
                peer.send(piece)
            }
            guard let upgrade = try? peer.acceptUpgrade() else { return }
            heads?.withLock { $0 = [connect, upgrade] }
            while let frame = try? peer.readFrame() { peer.sendFrame(opcode: frame.opcode, frame.payload) }
        }
    }

    @Test("is asked for the server with CONNECT, and the server sees nothing of that")
    func request() throws {
        let heads = Locked<[String]>([])
        let proxy = try tunnel(["HTTP/1.1 200 Connection established\r\n\r\n"], heads)
        defer { proxy.stop() }
        let client = try connect(to: proxy, username: "http", password: "//us@r:pass%word")
        try client.writeTextMessage("x")
        #expect(try client.readTextMessage() == "x")
        let seen = heads.withLock { $0 }
        let (connect, upgrade) = (try #require(seen.first), try #require(seen.last))
        #expect(connect.hasPrefix("CONNECT server.example:80 HTTP/1.1\r\nHost: server.example:80\r\n"))
        let credentials = Data("http://us@r:pass%word".utf8).base64EncodedString()
        #expect(RawConnection.field("Proxy-Authorization", in: connect) == "Basic \(credentials)")
        #expect(upgrade.hasPrefix("GET /path HTTP/1.1\r\n"))
        #expect(RawConnection.field("Host", in: upgrade) == "server.example")
        #expect(RawConnection.field("Proxy-Authorization", in: upgrade) == nil)
        #expect(!upgrade.contains("CONNECT"))
    }

    @Test("gets the longest credentials and host as they are, and an IPv6 address in brackets")
    func limits() throws {
        for url in [
            "ws://\(String(repeating: "h", count: 253))/", "ws://[2001:db8::1]:65535/", "ws://[fe80::1%25eth0]/",
        ] {
            let heads = Locked<[String]>([])
            let proxy = try tunnel(["HTTP/1.1 200 OK\r\n\r\n"], heads)
            defer { proxy.stop() }
            let password = String(repeating: "p", count: 4093)
            #expect(try connect(to: proxy, url: url, username: "u", password: password).isOpen)
            #expect(eventually { heads.withLock { !$0.isEmpty } })
            let parsed = try WebSocketURL(url)
            let place = "\(ProxyServer.target(parsed)):\(parsed.port)"
            let head = try #require(heads.withLock { $0.first })
            let credentials = Data("u:\(password)".utf8).base64EncodedString()
            #expect(
                head == "CONNECT \(place) HTTP/1.1\r\nHost: \(place)\r\nUser-Agent: \(UserAgent.library)\r\n"
                    + "Proxy-Authorization: Basic \(credentials)\r\n\r\n")
        }
    }

    @Test(
        "may answer in pieces",
        arguments: [
            ["HTTP/1.1 ", "200 Connection established\r\n\r\n"], ["HTTP/1.1 200 OK\r\nVia: 1.1 x\r\n", "\r\n"],
            ["HTTP/1.0 200 OK", "\r\nA: b\r\n\r", "\n"],
            ["HTTP/1.1 200 OK\r\nX: \(String(repeating: "x", count: 16000))\r\n\r\n"],
        ])
    func pieces(_ pieces: [String]) throws {
        let proxy = try tunnel(pieces)
        defer { proxy.stop() }
        let client = try connect(to: proxy)
        try client.writeTextMessage("x")
        #expect(try client.readTextMessage() == "x")
    }

    @Test(
        "that refuses is reported with its status, however it ends the connection",
        arguments: [403, 407, 502, 301, 204, 200], [false, true])
    func refusals(_ status: Int, _ resets: Bool) throws {
        let proxy = try RawServer { peer in
            _ = try? peer.readRequestHead()
            // 200 without a space is what lws would not take.
            peer.send("HTTP/1.1 \(status)\r\nContent-Length: 9\r\n\r\nno tunnel")
            if resets { peer.reset() }
        }
        defer { proxy.stop() }
        let error = failure { try connect(to: proxy, username: "user", password: "s3cret") }
        #expect(error?.code == .connection)
        #expect(error?.description.contains("The proxy 127.0.0.1:\(proxy.port)") == true)
        #expect(error?.description.contains("s3cret") == false)
        // The system may throw away what came before a reset.
        if !resets { #expect(error?.httpResponse?.status.code == status, "\(error?.description ?? "none")") }
    }

    @Test("that answers with something else is reported")
    func garbage() throws {
        for answer in [
            "SSH-2.0-OpenSSH_9.2p1\r\n", "\u{0}", "HTTP/2 200 OK\r\n\r\n", "HTTP/1.1 2\r\n\r\n",
            "HTTP/1.1 200 OK\r\nX: " + String(repeating: "x", count: 200_000),
        ] {
            let proxy = try RawServer { peer in
                _ = try? peer.readRequestHead()
                peer.send(answer)
                peer.waitForEnd()
            }
            defer { proxy.stop() }
            let error = failure { try connect(to: proxy) }
            #expect(error?.code == .connection)
            #expect(error?.description.contains("did not answer with a valid HTTP response") == true)
        }
    }

    @Test("that ends the connection instead of answering is reported")
    func ends() throws {
        for (text, resets) in [("", false), ("HTTP/1.1 200", false), ("", true), ("HTTP/1.1 200", true)] {
            let proxy = try RawServer { peer in
                _ = try? peer.readRequestHead()
                peer.send(text)
                if resets { peer.reset() }
            }
            defer { proxy.stop() }
            let error = failure { try connect(to: proxy) }
            #expect(error?.code == .connection)
            #expect(error?.description.contains("ended the connection before it answered") == true)
        }
    }

    @Test("that says nothing, or stops in the middle, is waited for as long as handShakeTimeout, without work")
    func silent() throws {
        for text in ["", "HTTP/1.1 200 OK\r\nA"] {
            let proxy = try RawServer { peer in
                _ = try? peer.readRequestHead()
                peer.send(text)
                peer.hold()
            }
            defer { proxy.stop() }
            let loop = WebSocketLoop()
            // So that it is one thread whose time is compared.
            let lease = try loop.lease()
            defer { withExtendedLifetime(lease) {} }
            let limit = Duration.milliseconds(300)
            func connectInVain() {
                #expect(failure { try connect(to: proxy, timeout: limit, loop: loop) }?.code == .handshakeTimedOut)
            }
            let kept = Punctuality(of: limit) { connectInVain() }
            #expect(kept.isKept, "\(kept)")
            let work = try LoopWork(of: loop) { connectInVain() }
            #expect(work.isIdle, "\(work)")
        }
    }

    /// `nil` where it depends on the distribution.
    private static var reachesProxiesByIPv6: Bool? {
        let release = libraryVersion.runningWith
        if release.compare("4.5.3", options: .numeric) != .orderedAscending { return false }
        return release.hasPrefix("4.1.") ? true : nil
    }

    private func expectReason(
        _ error: WebSocketError?, _ isReached: Bool, _ name: String,
        else reason: String = "reaches a proxy by an IPv4 address alone"
    ) {
        let words = isReached ? name : reason
        #expect(error?.description.contains(words) == true, "\(error?.description ?? "none")")
        #expect((error?.httpResponse?.status.code == 503) == isReached)
    }

    @Test("is never passed by: reached by IPv6, or not at all where libwebsockets would forget it", .needsIPv6)
    func ipv6() throws {
        let log = RecordedLog()
        LWSLog.setLevel(.error, on: log.logger)
        defer { LWSLog.setLevel(.warning) }
        let connects = Locked<[String]>([])
        let proxy = try RawServer(host: "::1") { peer in
            guard let head = try? peer.readRequestHead() else { return }
            connects.withLock { $0.append(head) }
            peer.send("HTTP/1.1 503 Busy\r\n\r\n")
        }
        let upgrades = Locked(0)
        let server = try RawServer { peer in
            _ = try? peer.acceptUpgrade()
            upgrades.withLock { $0 += 1 }
        }
        defer {
            proxy.stop()
            server.stop()
        }
        var configuration = ClientConfiguration()
        configuration.proxy = Proxy(host: "::1", port: proxy.port, username: "user", password: "s3cret")
        let error = failure { try WebSocketClient(server.url(), configuration: configuration) }
        let isReached = Self.reachesProxiesByIPv6 ?? (connects.withLock { $0.count } == 1)
        #expect(error?.code == (isReached ? .connection : .invalidArgument))
        expectReason(error, isReached, "[::1]:\(proxy.port)")

        configuration.proxy = Proxy(host: "proxy.example", port: proxy.port, username: "user", password: "s3cret")
        let named = try WebSocketClient(server.url(), configuration, .shared, FixedResolver(["::1"]))
        let unreached = failure { try named.connect() }
        #expect(unreached?.code == .connection && unreached?.isRetriable == true)
        expectReason(unreached, isReached, "proxy.example")

        // Why another address could not be reached is not forgotten for this one.
        let second = try WebSocketClient(server.url(), configuration, .shared, FixedResolver(["127.0.0.1", "::1"]))
        let last = failure { try second.connect() }
        expectReason(last, isReached, "proxy.example", else: "127.0.0.1")

        #expect(!log.messages.contains { $0.contains("http_proxy") })
        #expect(upgrades.withLock { $0 } == 0)
        let heads = connects.withLock { $0 }
        #expect(heads.count == (isReached ? 3 : 0))
        #expect(heads.allSatisfy { $0.hasPrefix("CONNECT 127.0.0.1:\(server.port) ") })
    }

    @Test("is given up by close, at once")
    func closed() throws {
        let proxy = try RawServer { $0.hold() }
        defer { proxy.stop() }
        var configuration = ClientConfiguration()
        configuration.proxy = Proxy(host: "127.0.0.1", port: proxy.port)
        let client = try WebSocketClient(unconnected: "ws://server.example/", configuration: configuration)
        let connecting = try Background { try client.connect() }
        #expect(connecting.isBlocked())
        let time = try Timing.of {
            try client.close()
            #expect(failure { try connecting.value() }?.code == .connectionClosure)
        }
        #expect(time < Timing.atOnce, "\(time)")
    }

    @Test("leaves no descriptor behind, whatever it does")
    func descriptors() throws {
        let turn = Locked(0)
        let proxy = try RawServer { peer in
            guard (try? peer.readRequestHead()) != nil else { return }
            switch turn.withLock({
                $0 += 1; return $0 % 4
            }) {
            case 0: peer.send("HTTP/1.1 403 Forbidden\r\n\r\n")
            case 1: peer.reset()
            case 2: peer.send("nonsense")
            default:
                peer.send("HTTP/1.1 200 OK\r\n\r\n")
                _ = try? peer.acceptUpgrade()
                peer.waitForEnd()
            }
        }
        defer { proxy.stop() }
        func cycle(_ count: Int) { for _ in 0..<count { _ = try? connect(to: proxy) } }
        cycle(40)
        let before = try ProcessMetrics.openDescriptors()
        cycle(200)
        #expect(
            eventually { (try? ProcessMetrics.openDescriptors()).map { $0 <= before } ?? false }
        )
    }
}
