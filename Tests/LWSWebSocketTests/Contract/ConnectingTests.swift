// The contract's `init`: resolve, connect, upgrade.

import Foundation
import HTTPTypes
import LWSServiceLoop
import TestConditions
import TestSupport
import Testing

@testable import LWSWebSocket

@Suite("Connecting", .serialized)
struct ConnectingTests {
    /// A server that accepts every upgrade and hands the request's head to the test.
    private func acceptingServer(host: String = "127.0.0.1") throws -> (RawServer, Locked<[String]>) {
        let heads = Locked<[String]>([])
        let server = try RawServer(host: host) { peer in
            guard let head = try? peer.acceptUpgrade() else { return }
            heads.withLock { $0.append(head) }
            peer.waitForEnd()
        }
        return (server, heads)
    }

    private func head(_ heads: Locked<[String]>) throws -> String {
        #expect(eventually { heads.withLock { !$0.isEmpty } })
        return try #require(heads.withLock { $0.first })
    }

    @Test("returns when the connection is open, with the server's answer")
    func opens() throws {
        let server = try RawServer { peer in
            _ = try? peer.acceptUpgrade(extraHeaders: ["Server: raw", "X-Unknown: 1", "X-Unknown: 2"])
            peer.waitForEnd()
        }
        let client = try WebSocketClient(server.url("/path?query=1"))
        #expect(client.isOpen)
        #expect(!client.isSecure)
        let response = try #require(client.httpResponse)
        #expect(response.status.code == 101)
        #expect(response.headerFields[.server] == "raw")
        let unknown = try #require(HTTPField.Name("X-Unknown"))
        #expect(response.headerFields[values: unknown] == ["1", "2"])
        try client.close(timeout: .zero)
        #expect(!client.isOpen)
    }

    @Test("asks for what the URL and the configuration say")
    func request() throws {
        let (server, heads) = try acceptingServer()
        var configuration = ClientConfiguration()
        try configuration.addHeader("X-Test", "one")
        try configuration.addHeader("X-Test", "two")
        _ = try WebSocketClient(server.url("/a b?c=ü"), configuration: configuration)
        let head = try head(heads)
        #expect(head.hasPrefix("GET /a%20b?c=%C3%BC HTTP/1.1\r\n"))
        #expect(head.contains("\r\nHost: 127.0.0.1:\(server.port)\r\n"))
        #expect(head.contains("\r\nX-Test: one\r\nX-Test: two\r\n"))
        #expect(head.contains("\r\nSec-WebSocket-Version: 13\r\n"))
        #expect(!head.contains("Origin:"))
    }

    @Test("sends a Host of the application's in place of its own")
    func hostOverride() throws {
        let (server, heads) = try acceptingServer()
        var configuration = ClientConfiguration()
        try configuration.addHeader("Host", "virtual.example")
        _ = try WebSocketClient(server.url(), configuration: configuration)
        let lines = try head(heads).components(separatedBy: "\r\n")
        #expect(lines.filter { $0.hasPrefix("Host: ") } == ["Host: virtual.example"])
    }

    @Test(
        "sends hosts and paths that are longer than lws's own buffers for them as they are",
        arguments: [100, 101, 119, 130, 240], [1, 1899, 1901, 2050, 12000])
    func long(_ hostLength: Int, _ pathLength: Int) throws {
        let (server, heads) = try acceptingServer()
        var configuration = ClientConfiguration()
        let host = String(repeating: "h", count: hostLength)
        try configuration.addHeader("Host", host)
        try configuration.addHeader("X-After", "still there")
        let path = "/" + String(repeating: "p", count: pathLength - 1)
        _ = try WebSocketClient(server.url(path), configuration: configuration)
        let lines = try head(heads).components(separatedBy: "\r\n")
        #expect(lines.first == "GET \(path) HTTP/1.1")
        #expect(lines.filter { $0.hasPrefix("Host: ") } == ["Host: \(host)"])
        #expect(lines.contains("X-After: still there"))
        #expect(lines.suffix(2) == ["", ""])
        #expect(lines.dropLast(2).allSatisfy { $0.contains(": ") || $0.hasPrefix("GET ") })
    }

    @Test("works over IPv6", .needsIPv6)
    func ipv6() throws {
        let (server, heads) = try acceptingServer(host: "::1")
        let client = try WebSocketClient("ws://[::1]:\(server.port)/")
        #expect(client.isOpen)
        #expect(try head(heads).contains("\r\nHost: [::1]:\(server.port)\r\n"))
    }

    @Test("tries each address of a name until one answers")
    func addressesInTurn() throws {
        let (server, _) = try acceptingServer()
        let resolver = FixedResolver(["::1", "127.0.0.2", "127.0.0.3", "127.0.0.1"])
        let client = try WebSocketClient(
            "ws://several.example:\(server.port)/", ClientConfiguration(), .shared, resolver)
        try client.connect()
        #expect(client.isOpen)
    }

    @Test("finds a server that listens on one of the addresses of localhost")
    func localhost() throws {
        let (server, _) = try acceptingServer()
        #expect(try WebSocketClient("ws://localhost:\(server.port)/").isOpen)
    }

    @Test("goes on to the next address when one does not answer at all, within the one deadline")
    func blackHole() throws {
        let (server, _) = try acceptingServer(host: "127.0.0.2")
        let hole = try BlackHole(host: "127.0.0.9", port: server.port)
        var configuration = ClientConfiguration()
        configuration.handShakeTimeout = Timing.ages
        // An address that does not answer has its share of the time. Among so many that is short, and the next one, which
        // answers, has all the rest.
        let count = 200
        let resolver = FixedResolver(["127.0.0.9"] + Array(repeating: "127.0.0.2", count: count - 1))
        let kept = try Punctuality(of: Timing.ages / count) { () -> Duration in
            let client = try WebSocketClient(
                "ws://several.example:\(hole.port)/", configuration, .shared, resolver)
            let time = try Timing.of { try client.connect() }
            #expect(client.isOpen)
            return time
        }
        #expect(kept.isKept, "\(kept)")
    }

    @Test("takes no longer than handShakeTimeout where nothing answers")
    func onlyBlackHoles() throws {
        let hole = try BlackHole(host: "127.0.0.9")
        var configuration = ClientConfiguration()
        configuration.handShakeTimeout = .milliseconds(300)
        let kept = Punctuality(of: .milliseconds(300)) { () -> Void in
            let error = #expect(throws: WebSocketError.self) {
                try WebSocketClient("ws://127.0.0.9:\(hole.port)/", configuration: configuration)
            }
            #expect(error?.code == .handshakeTimedOut)
        }
        #expect(kept.isKept, "\(kept)")
    }

    @Test("reports that no address answers, as retriable")
    func noneAnswers() throws {
        let port = try FreePort.find()
        let client = try WebSocketClient(
            "ws://several.example:\(port)/", ClientConfiguration(), .shared,
            FixedResolver(["127.0.0.2", "127.0.0.1"]))
        let error = #expect(throws: WebSocketError.self) { try client.connect() }
        #expect(error?.code == .connection)
        #expect(error?.isRetriable == true)
        #expect(error?.host == "several.example")
    }

    @Test("reports what the address that answered said, not what the others before it did")
    func lastAddressCounts() throws {
        let server = try RawServer { peer in
            _ = try? peer.readRequestHead()
            peer.send("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
            peer.waitForEnd()
        }
        for addresses in [["::1", "127.0.0.1"], ["255.255.255.255", "127.0.0.1"], ["127.0.0.1", "::1"]] {
            let client = try WebSocketClient(
                "ws://several.example:\(server.port)/", ClientConfiguration(), .shared, FixedResolver(addresses))
            let error = failure { try client.connect() }
            #expect(error?.code == .invalidHandshake)
            #expect(error?.httpResponse?.status.code == 404)
        }
    }

    @Test("says which host is unknown")
    func unknownHost() {
        // The empty label makes the system refuse it without asking a name server.
        let error = #expect(throws: WebSocketError.self) { try WebSocketClient("ws://no..such.host/") }
        #expect(error?.code == .connection)
        #expect(error?.description.contains("no..such.host") == true)
    }

    @Test("gives up a name look-up when the time is up, without holding up another client")
    func slowLookUp() throws {
        struct Resolver: NameResolver {
            let wasAsked = MonotonicSemaphore()
            func resolve(_ host: String, deadline: Deadline, _ answer: @escaping @Sendable (NameResolution) -> Void) {
                wasAsked.signal()
            }
        }
        let resolver = Resolver()
        var configuration = ClientConfiguration()
        configuration.handShakeTimeout = Timing.ages
        let (server, _) = try acceptingServer()
        let waiting = try WebSocketClient("ws://slow.example/", configuration, .shared, resolver)
        let connecting = try Background { try waiting.connect() }
        #expect(resolver.wasAsked.wait(until: Deadline(after: Timing.ages)))
        let other = try Timing.of { _ = try WebSocketClient(server.url()) }
        #expect(other < Timing.atOnce, "\(other)")
        #expect(connecting.isBlocked(for: .milliseconds(1)))
        try waiting.close()
        #expect(failure { try connecting.value() }?.code == .connectionClosure)
        configuration.handShakeTimeout = .milliseconds(300)
        let kept = try Punctuality(of: .milliseconds(300)) { () -> Void in
            let late = try WebSocketClient("ws://slow.example/", configuration, .shared, SlowResolver())
            let error = failure { try late.connect() }
            #expect(error?.code == .handshakeTimedOut)
            #expect(error?.description.contains("look-up") == true)
        }
        #expect(kept.isKept, "\(kept)")
    }

    @Test("takes no longer than handShakeTimeout where the server says nothing")
    func silentServer() throws {
        let server = try RawServer { $0.hold() }
        var configuration = ClientConfiguration()
        configuration.handShakeTimeout = .milliseconds(200)
        let kept = Punctuality(of: .milliseconds(200)) { () -> Void in
            let error = #expect(throws: WebSocketError.self) {
                try WebSocketClient(server.url(), configuration: configuration)
            }
            #expect(error?.code == .handshakeTimedOut)
        }
        #expect(kept.isKept, "\(kept)")
    }

    @Test("waits for an answer longer than lws's own five seconds")
    func patient() throws {
        let server = try RawServer { peer in
            guard let head = try? peer.readRequestHead() else { return }
            // Longer than any of lws's time limits for a step of the handshake: there is no quicker way to see
            // that they are out of force.
            _ = MonotonicSemaphore().wait(until: Deadline(after: .seconds(6)))
            let key = RawConnection.field("Sec-WebSocket-Key", in: head) ?? ""
            peer.send(
                "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                    + "Sec-WebSocket-Accept: \(RawConnection.accept(for: key))\r\n\r\n")
            peer.waitForEnd()
        }
        #expect(try WebSocketClient(server.url()).isOpen)
    }

    @Test("is ended by close, at once")
    func closedMeanwhile() throws {
        let server = try RawServer { $0.hold() }
        let client = try WebSocketClient(unconnected: server.url())
        let connecting = try Background { try client.connect() }
        #expect(eventually { client.inside.hasTransport })
        #expect(connecting.isBlocked())
        let time = try Timing.of {
            try client.close()
            let error = #expect(throws: WebSocketError.self) { try connecting.value() }
            #expect(error?.code == .connectionClosure)
        }
        #expect(time < Timing.atOnce, "\(time)")
        let again = #expect(throws: WebSocketError.self) { try client.connect() }
        #expect(again?.code == .invalidArgument)
    }

    @Test("does not look at the environment's proxy")
    func environmentProxy() throws {
        let proxy = try RawServer { peer in _ = try? peer.readRequestHead() }
        let (server, _) = try acceptingServer()
        let variables = ["http_proxy", "HTTP_PROXY", "all_proxy", "socks_proxy"]
        let client = try withEnvironment(
            Dictionary(uniqueKeysWithValues: variables.map { ($0, "127.0.0.1:\(proxy.port)") })
        ) {
            // A loop of its own, whose context is made while the variables are set.
            try WebSocketClient(server.url(), loop: WebSocketLoop())
        }
        #expect(client.isOpen)
    }

    @Test("comes before every other operation")
    func operationsBefore() throws {
        let client = try WebSocketClient(unconnected: "ws://localhost/")
        #expect(!client.isOpen)
        #expect(failure { try client.readMessage() }?.code == .invalidArgument)
        #expect(failure { try client.writeTextMessage("x") }?.code == .invalidArgument)
        try client.close(statusCode: 3000)
        for _ in 0..<2 {
            let error = failure { try client.connect() }
            #expect(error?.code == .connectionClosure && error?.closure?.code == 3000, "\(error as Any)")
        }
    }
}
