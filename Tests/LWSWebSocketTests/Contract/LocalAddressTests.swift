// The configuration's `localAddress`: where a connection comes from.

import HTTPTypes
import TestConditions
import TestSupport
import Testing

@testable import LWSWebSocket

@Suite("The local address", .serialized)
struct LocalAddressTests {
    /// Where the server sees the client come from.
    private func seen(from localAddress: String?, host: String = "127.0.0.1") throws -> String {
        let server = try RawServer(host: host) { peer in
            guard (try? peer.acceptUpgrade()) != nil else { return }
            peer.sendFrame(opcode: 1, Array((peer.peerAddress ?? "unknown").utf8))
            peer.waitForEnd()
        }
        defer { server.stop() }
        return try WebSocketClient(server.url(), configuration: configuration(localAddress)).readTextMessage()
    }

    private func configuration(_ localAddress: String?) -> ClientConfiguration {
        var configuration = ClientConfiguration()
        configuration.localAddress = localAddress
        return configuration
    }

    #if canImport(Darwin)
        private let loopback = "lo0"
    #else
        private let loopback = "lo"
    #endif

    @Test("is what the server sees")
    func address() throws {
        #expect(try seen(from: nil) == "127.0.0.1")
        #expect(try seen(from: "127.0.0.1") == "127.0.0.1")
        #if os(Linux)
            // Darwin's loopback has but one address.
            #expect(try seen(from: "127.0.0.2") == "127.0.0.2")
        #endif
    }

    @Test("may be an interface, whose address of the right family is taken")
    func interface() throws {
        #expect(try seen(from: loopback) == "127.0.0.1")
    }

    @Test("of IPv6 is seen as well, and that of an interface", .needsIPv6)
    func ipv6() throws {
        #expect(try seen(from: "::1", host: "::1") == "::1")
        #expect(try seen(from: loopback, host: "::1") == "::1")
    }

    @Test("passes over the server's addresses of the other family", .needsIPv6)
    func families() throws {
        let server = try RawServer { peer in
            _ = try? peer.acceptUpgrade()
            peer.waitForEnd()
        }
        defer { server.stop() }
        for addresses in [["::1", "127.0.0.1"], ["127.0.0.1", "::1"]] {
            let client = try WebSocketClient(
                "ws://both.example:\(server.port)/", configuration("127.0.0.1"), .shared, FixedResolver(addresses))
            try client.connect()
            #expect(client.isOpen)
        }
        let error = failure { try seen(from: "127.0.0.1", host: "::1") }
        #expect(error?.code == .connection)
        #expect(error?.description.hasPrefix("localAddress: ") == true)
        // That nobody answers on the one says more than that the other could not be tried.
        let port = try FreePort.find()
        let client = try WebSocketClient(
            "ws://both.example:\(port)/", configuration("127.0.0.1"), .shared, FixedResolver(["127.0.0.1", "::1"]))
        #expect(failure { try client.connect() }?.description.contains("could not be reached") == true)
    }

    private func expectMissing(_ localAddress: String, toward host: String) {
        let error = failure { try seen(from: localAddress, host: host) }
        #expect(error?.code == .connection)
        #expect(error?.isRetriable == true)
        #expect(error?.description.hasPrefix("localAddress: ") == true)
        #expect(error?.description.contains(localAddress) == true, "\(error?.description ?? "none")")
    }

    @Test(
        "that this machine does not have is a connection error that names it", arguments: ["192.0.2.77", "nosuchif0"])
    func missing(_ localAddress: String) { expectMissing(localAddress, toward: "127.0.0.1") }

    @Test("of IPv6 that this machine does not have is one too", .needsIPv6)
    func missingIPv6() { expectMissing("2001:db8::77", toward: "::1") }

    @Test(
        "that can be neither address nor interface is refused",
        arguments: ["", " ", "a b", "lo\n", "lo\0", "/dev/null", "ü", String(repeating: "x", count: 65)])
    func refused(_ localAddress: String) {
        let error = failure {
            try WebSocketClient(unconnected: "ws://example.com/", configuration: configuration(localAddress))
        }
        #expect(error?.code == .invalidArgument)
        #expect(error?.description.hasPrefix("localAddress: ") == true)
    }

    @Test("is where a proxy is connected to from")
    func proxy() throws {
        let proxy = try RawServer { peer in
            _ = try? peer.readRequestHead()
            peer.send("HTTP/1.1 \(peer.peerAddress == "127.0.0.2" ? 502 : 500) x\r\n\r\n")
        }
        defer { proxy.stop() }
        #if os(Linux)
            var configuration = configuration("127.0.0.2")
            configuration.proxy = Proxy(host: "127.0.0.1", port: proxy.port)
            let error = failure { try WebSocketClient("ws://example.com/", configuration: configuration) }
            #expect(error?.httpResponse?.status.code == 502)
        #endif
    }
}
