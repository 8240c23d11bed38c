// What cannot be done with a libwebsockets that was built without something: it is said, before anything is sent.

import HTTPTypes
import LWSServiceLoop
import TestConditions
import TestSupport
import Testing

@testable import LWSWebSocket

@Suite("A libwebsockets that was built without")
struct LibraryFeatureTests {
    private func refusal(_ url: String, _ missing: LibraryFeature, proxy: Proxy? = nil) -> WebSocketError? {
        failure { try Route(to: WebSocketURL(url), through: proxy, from: nil, missing: [missing]) }
    }

    @Test("IPv6 goes to no such address, of a server or a proxy")
    func ipv6() throws {
        let reason = "libwebsockets was built without IPv6 (cmake -DLWS_IPV6=ON)"
        let server = try #require(refusal("ws://[::1]:1/", .ipv6))
        #expect(server.code == .invalidArgument && !server.isRetriable)
        #expect(server.description == "The host ::1 cannot be used: \(reason)")
        let proxy = try #require(refusal("ws://h/", .ipv6, proxy: Proxy(host: "::1", port: 1)))
        #expect(proxy.description == "The proxy ::1 cannot be used: \(reason)")
        #expect(refusal("ws://127.0.0.1/", .ipv6) == nil && refusal("ws://h/", .ipv6) == nil)
        #expect(refusal("ws+unix:///s", .ipv6) == nil)
        let source = failure {
            try Route(to: WebSocketURL("ws://h/"), through: nil, from: "fe80::1%lo", missing: [.ipv6])
        }
        #expect(source?.description == "localAddress: fe80::1%lo cannot be used: \(reason)")
        // What the proxy connects to is its own affair.
        #expect(refusal("ws://[::1]/", .ipv6, proxy: Proxy(host: "127.0.0.1", port: 1)) == nil)
    }

    @Test("IPv6 passes over the IPv6 addresses of a name, and says so where it has no others")
    func names() throws {
        func addresses(_ known: [String]) throws(WebSocketError) -> [String]? {
            let route = try Route(to: WebSocketURL("ws://h.test/"), through: nil, from: nil, missing: [.ipv6])
            let lookUp = LookUp(for: route, by: FixedResolver(known), until: .never) {}
            return try lookUp.addresses()?.map(\.numeric)
        }
        #expect(try addresses(["::1", "127.0.0.1", "fe80::1%lo", "127.0.0.2"]) == ["127.0.0.1", "127.0.0.2"])
        let error = try #require(failure { try addresses(["::1"]) })
        #expect(error.code == .connection && error.isRetriable)
        #expect(
            error.description
                == "The host h.test has no IPv4 address, and libwebsockets was built without IPv6 (cmake -DLWS_IPV6=ON)"
        )
    }

    @Test("Unix sockets connects to none")
    func unixSockets() throws {
        let error = try #require(refusal("ws+unix:///run/app.sock:/feed", .unixSockets))
        #expect(error.code == .invalidArgument && !error.isRetriable)
        #expect(
            error.description
                == "The socket /run/app.sock cannot be used: "
                + "libwebsockets was built without Unix sockets (cmake -DLWS_UNIX_SOCK=ON)")
        #expect(refusal("ws://h/", .unixSockets) == nil && refusal("ws://[::1]/", .unixSockets) == nil)
    }

    // MARK: - Where it is one

    @Test("IPv6 says so to who connects", .lacks(.ipv6))
    func withoutIPv6() throws {
        #expect(failure { try WebSocketClient("ws://[::1]:1/") }?.description.contains("without IPv6") == true)
        let client = try WebSocketClient("ws://h.test:1/", .init(), .shared, FixedResolver(["::1"]))
        #expect(failure { try client.connect() }?.description.contains("without IPv6") == true)
    }

    @Test("Unix sockets says so to who connects", .lacks(.unixSockets))
    func withoutUnixSockets() throws {
        #expect(failure { try WebSocketClient("ws+unix:///s") }?.description.contains("without Unix sockets") == true)
    }

    @Test("extensions offers no compression, though it is on", .lacks(.compression))
    func withoutExtensions() throws {
        let server = try PythonWebSocketsServer()
        defer { server.stop() }
        let client = try WebSocketClient(server.url())
        try client.writeTextMessage("as it is")
        #expect(try client.readTextMessage() == "as it is")
        #expect(client.httpResponse?.headerFields[.secWebSocketExtensions] == nil)
        try client.close()
    }
}
