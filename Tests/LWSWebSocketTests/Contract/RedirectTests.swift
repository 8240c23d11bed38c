// The handshake's redirects.

import Foundation
import HTTPTypes
import LWSServiceLoop
import TestSupport
import Testing

@testable import LWSWebSocket

@Suite("Redirects", .serialized)
struct RedirectTests {
    /// A server whose paths redirect as it is told; every other path is accepted. It keeps every request.
    private final class Redirecting: Sendable {
        let server: RawServer
        private let heads: Locked<[String]>
        private let routes: Locked<[String: String]>

        init(host: String = "127.0.0.1") throws {
            let heads = Locked<[String]>([])
            let routes = Locked<[String: String]>([:])
            self.heads = heads
            self.routes = routes
            server = try RawServer(host: host) { peer in
                guard let head = try? peer.readRequestHead() else { return }
                let path = String(head.split(separator: " ")[1])
                heads.withLock { $0.append(head) }
                guard let answer = routes.withLock({ $0[path] }) else {
                    let key = RawConnection.field("Sec-WebSocket-Key", in: head) ?? ""
                    peer.send(
                        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                            + "Sec-WebSocket-Accept: \(RawConnection.accept(for: key))\r\n\r\n")
                    peer.waitForEnd()
                    return
                }
                peer.send("HTTP/1.1 \(answer)\r\nContent-Length: 0\r\n\r\n")
                peer.waitForEnd()
            }
        }

        deinit { server.stop() }

        func redirect(_ path: String, _ status: Int = 302, to location: String) {
            routes.withLock { $0[path] = "\(status) Elsewhere\r\nLocation: \(location)" }
        }

        func answer(_ path: String, _ answer: String) { routes.withLock { $0[path] = answer } }

        var requests: [String] { heads.withLock { $0 } }
        var paths: [String] { requests.map { String($0.split(separator: " ")[1]) } }
    }

    @Test("leave what auth sends with the origin that it was given for")
    func authentication() throws {
        let (first, second) = (try Redirecting(), try Redirecting())
        first.redirect("/a", to: "/b")
        first.redirect("/b", to: second.server.url("/c"))
        second.redirect("/c", to: first.server.url("/d"))
        var configuration = ClientConfiguration()
        configuration.followRedirects = 3
        configuration.auth = .bearer(token: "s3cret")
        try WebSocketClient(first.server.url("/a"), configuration: configuration).close(timeout: .zero)
        #expect(first.requests.map { $0.contains("Authorization: Bearer s3cret") } == [true, true, false])
        #expect(second.requests.map { $0.contains("s3cret") } == [false])
    }

    private func following(_ count: Int) throws -> ClientConfiguration {
        var configuration = ClientConfiguration()
        configuration.followRedirects = count
        configuration.cookies = [Cookie(name: "session", value: "s3cret")]
        try configuration.addHeader("Authorization", "Bearer s3cret")
        try configuration.addHeader("X-Api-Key", "s3cret")
        return configuration
    }

    @Test("are followed where it is asked for, whatever the status", arguments: [301, 302, 303, 307, 308])
    func statuses(_ status: Int) throws {
        let server = try Redirecting()
        server.redirect("/a", status, to: "/b?c=d")
        let client = try WebSocketClient(server.server.url("/a"), configuration: following(1))
        #expect(client.isOpen)
        #expect(client.httpResponse?.status.code == 101)
        #expect(server.paths == ["/a", "/b?c=d"])
        // The same origin gets what the first request had.
        for head in server.requests {
            #expect(RawConnection.field("Authorization", in: head) == "Bearer s3cret")
            #expect(RawConnection.field("X-Api-Key", in: head) == "s3cret")
            #expect(RawConnection.field("Cookie", in: head) == "session=s3cret")
        }
    }

    @Test("are not followed where it is not asked for, nor where the status is another")
    func notFollowed() throws {
        let server = try Redirecting()
        server.redirect("/a", to: "/b")
        server.redirect("/choices", 300, to: "/b")
        server.redirect("/fine", 200, to: "/b")
        for (path, count) in [("/a", 0), ("/choices", 5), ("/fine", 5)] {
            let error = failure { try WebSocketClient(server.server.url(path), configuration: following(count)) }
            #expect(error?.code == .invalidHandshake)
            #expect(error?.httpResponse?.headerFields[.location] == "/b")
        }
        #expect(server.paths == ["/a", "/choices", "/fine"])
    }

    @Test("may be relative, absolute or without a scheme, with the scheme of HTTP or of WebSocket")
    func forms() throws {
        let server = try Redirecting()
        let place = "127.0.0.1:\(server.server.port)"
        let forms = [
            ("target", "/deep/path/target"), ("./target", "/deep/path/target"), ("../target", "/deep/target"),
            ("?x=y", "/deep/path/from?x=y"), ("/top", "/top"), ("//\(place)/top", "/top"),
            ("http://\(place)/top", "/top"), ("HTTP://\(place)/top", "/top"), ("ws://\(place)/top", "/top"),
            ("http://\(place)", "/"), ("/top#fragment", "/top"),
        ]
        for (location, path) in forms {
            server.redirect("/deep/path/from", to: location)
            let client = try WebSocketClient(
                server.server.url("/deep/path/from"), configuration: following(1))
            #expect(client.isOpen)
            #expect(server.paths.last == path, "\(location)")
            #expect(server.requests.last.map { $0.contains("s3cret") } == true, "\(location) is the same origin")
        }
    }

    @Test("to another origin take no credentials, cookies or fields along, and not back home either")
    func otherOrigin() throws {
        let (home, other) = (try Redirecting(), try Redirecting())
        home.redirect("/start", to: other.server.url("/there"))
        other.redirect("/there", to: home.server.url("/back"))
        home.redirect("/back", to: "/end")
        var configuration = try following(3)
        try configuration.addHeader("Host", "virtual.example")
        configuration.subProtocols = []
        let client = try WebSocketClient(home.server.url("/start"), configuration: configuration)
        #expect(client.isOpen)
        #expect(home.paths == ["/start", "/back", "/end"])
        #expect(other.paths == ["/there"])
        #expect(home.requests.first?.contains("s3cret") == true)
        #expect(home.requests.first.flatMap { RawConnection.field("Host", in: $0) } == "virtual.example")
        for head in other.requests + home.requests.dropFirst() {
            #expect(!head.contains("s3cret") && !head.contains("virtual.example"))
            #expect(RawConnection.field("Cookie", in: head) == nil)
        }
        #expect(
            other.requests.first.flatMap { RawConnection.field("Host", in: $0) } == "127.0.0.1:\(other.server.port)")
    }

    @Test("to another name of the same server are to another origin")
    func otherName() throws {
        let server = try Redirecting()
        server.redirect("/a", to: "http://LOCALHOST:\(server.server.port)/b")
        _ = try WebSocketClient(server.server.url("/a"), configuration: following(1))
        #expect(server.requests.map { $0.contains("s3cret") } == [true, false])
    }

    @Test("that go round in a circle, or on for too long, end with the last answer", arguments: [1, 2, 5])
    func tooMany(_ count: Int) throws {
        let (one, two) = (try Redirecting(), try Redirecting())
        one.redirect("/", to: two.server.url("/"))
        two.redirect("/", 307, to: one.server.url("/"))
        let error = failure { try WebSocketClient(one.server.url(), configuration: following(count)) }
        #expect(error?.code == .invalidHandshake)
        #expect(error?.httpResponse?.status.code == (count % 2 == 0 ? 302 : 307))
        #expect(error?.description.contains("followRedirects") == true)
        #expect(one.paths.count + two.paths.count == count + 1)
    }

    @Test("without a Location that can be used are invalidHandshake, with the answer")
    func badLocations() throws {
        let server = try Redirecting()
        let locations = [
            "", "ftp://example.com/", "http://", "http:///x", "ws://user:s3cret@127.0.0.1/", "ws://h:99999/",
            "ws://exa mple/", "javascript:alert(1)", "/" + String(repeating: "x", count: 20000),
        ]
        for location in locations.dropLast() {
            server.redirect("/a", to: location)
            let error = failure { try WebSocketClient(server.server.url("/a"), configuration: following(3)) }
            #expect(error?.code == .invalidHandshake, "\(location)")
            #expect(error?.httpResponse?.status.code == 302, "\(location)")
            #expect(error?.description.contains("s3cret") == false)
        }
        server.answer("/a", "302 Found")
        let error = failure { try WebSocketClient(server.server.url("/a"), configuration: following(3)) }
        #expect(error?.code == .invalidHandshake)
        #expect(error?.description.contains("without a Location") == true)
        #expect(server.paths.allSatisfy { $0 == "/a" })
    }

    @Test("from wss: to ws: are refused")
    func downgrade() throws {
        // Without TLS there is no server to say it, so the step is taken alone.
        let secure = try WebSocketURL("wss://h/")
        #expect(try secure.resolving("/x").isSecure)
        #expect(try secure.resolving("//other/x").isSecure)
        #expect(try !secure.resolving("http://h/x").isSecure)
        #expect(try WebSocketURL("ws://h/").resolving("https://h/x") == WebSocketURL("wss://h/x"))
        #expect(try WebSocketURL("ws://h/").hasOrigin(of: WebSocketURL("ws://H:80/x")))
        #expect(try !WebSocketURL("ws://h/").hasOrigin(of: secure))
        #expect(try !WebSocketURL("ws://h/").hasOrigin(of: WebSocketURL("ws://h:81/")))
    }

    @Test("keep an IPv6 address with its zone")
    func zone() throws {
        let url = try WebSocketURL("ws://[fe80::1%25lo]:81/a/b")
        let next = try url.resolving("c")
        #expect(next.host == "fe80::1%lo" && next.port == 81 && next.target == "/a/c")
        #expect(next.hasOrigin(of: url))
    }

    @Test("have one handShakeTimeout for all of them")
    func oneDeadline() throws {
        let slow = try RawServer { peer in
            _ = try? peer.readRequestHead()
            _ = MonotonicSemaphore().wait(until: Deadline(after: .milliseconds(120)))
            peer.send("HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 0\r\n\r\n")
            peer.waitForEnd()
        }
        defer { slow.stop() }
        var configuration = try following(50)
        configuration.handShakeTimeout = .milliseconds(300)
        let kept = Punctuality(of: .milliseconds(300)) { () -> Void in
            let error = failure { try WebSocketClient(slow.url(), configuration: configuration) }
            #expect(error?.code == .handshakeTimedOut)
        }
        #expect(kept.isKept, "\(kept)")
    }

    @Test("begin at the client's own URL again in each attempt to connect")
    func retried() throws {
        let (home, other) = (try Redirecting(), try Redirecting())
        home.redirect("/", to: other.server.url("/there"))
        other.answer("/there", "503 Later")
        let log = RetryLog()
        var configuration = log.configuration(maxCount: 2)
        configuration.followRedirects = 1
        configuration.cookies = [Cookie(name: "session", value: "s3cret")]
        let error = failure { try WebSocketClient(home.server.url(), configuration: configuration) }
        #expect(error?.httpResponse?.status.code == 503)
        #expect(home.requests.map { $0.contains("s3cret") } == [true, true, true])
        #expect(other.requests.map { $0.contains("s3cret") } == [false, false, false])
    }
}
