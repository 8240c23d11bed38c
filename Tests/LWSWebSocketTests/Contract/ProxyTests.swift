// HTTP proxies: tinyproxy, and scripted ones for what it would not do.

import Foundation
import HTTPTypes
import LWSServiceLoop
import TestSupport
import Testing

@testable import LWSWebSocket

@Suite("Through a proxy", .serialized)
struct ProxyTests {
    private func configuration(
        _ proxy: Proxy?, timeout: Duration = Timing.ages
    ) -> ClientConfiguration {
        var configuration = ClientConfiguration()
        configuration.proxy = proxy
        configuration.handShakeTimeout = timeout
        return configuration
    }

    private func proxy(_ port: Int, _ username: String? = nil, _ password: String? = nil) -> Proxy {
        Proxy(host: "127.0.0.1", port: port, username: username, password: password)
    }

    private func error(_ url: String, _ configuration: ClientConfiguration) -> WebSocketError? {
        failure { try WebSocketClient(url, configuration: configuration) }
    }

    // MARK: - tinyproxy

    /// The proxy was asked for this. Its log comes a moment after it has answered.
    private func expectConnect(_ place: String, _ proxy: TinyProxy) {
        #expect(eventually { proxy.output.contains("CONNECT \(place)") }, "\(proxy.output)")
    }

    @Test("messages go both ways, large ones too")
    func tunnel() throws {
        let (server, tinyproxy) = (try PythonWebSocketsServer(), try TinyProxy())
        defer {
            server.stop()
            tinyproxy.stop()
        }
        var large = configuration(proxy(tinyproxy.port))
        large.maxFrameSize = 1 << 22
        let client = try WebSocketClient(server.url(), configuration: large)
        try client.writeTextMessage("through the tunnel")
        #expect(try client.readTextMessage() == "through the tunnel")
        let bytes = (0..<3_000_000).map { UInt8(truncatingIfNeeded: $0 &* 7) }
        try client.writeBinaryMessage(bytes)
        #expect(try client.readBinaryMessage() == bytes)
        try client.close()
        expectConnect("127.0.0.1:\(server.port)", tinyproxy)
    }

    @Test("the server's name is left to the proxy, and the proxy's is resolved off the loop")
    func names() throws {
        let (server, tinyproxy) = (try PythonWebSocketsServer(), try TinyProxy())
        defer {
            server.stop()
            tinyproxy.stop()
        }
        // Nobody listens on ::1, or libwebsockets does not go there: the second address of the proxy has to be tried.
        let named = Proxy(host: "proxy.example", port: tinyproxy.port)
        let client = try WebSocketClient(
            "ws://localhost:\(server.port)/echo", configuration(named), .shared, FixedResolver(["::1", "127.0.0.1"]))
        try client.connect()
        #expect(client.isOpen)
        expectConnect("localhost:\(server.port)", tinyproxy)
        let unknown = error(server.url(), configuration(Proxy(host: "no..such.host", port: 1)))
        #expect(unknown?.code == .connection)
        #expect(unknown?.description.contains("The proxy no..such.host could not be resolved") == true)
    }

    @Test("credentials open the proxy, and wrong ones or none are told apart")
    func credentials() throws {
        let (server, tinyproxy) = (
            try PythonWebSocketsServer(), try TinyProxy(credentials: ("user", "passw0rd"))
        )
        defer {
            server.stop()
            tinyproxy.stop()
        }
        let right = proxy(tinyproxy.port, "user", "passw0rd")
        #expect(try WebSocketClient(server.url(), configuration: configuration(right)).isOpen)
        let none = error(server.url(), configuration(proxy(tinyproxy.port)))
        #expect(none?.code == .connection)
        #expect(none?.httpResponse?.status.code == 407)
        #expect(none?.isRetriable == false)
        #expect(none?.description.contains("127.0.0.1:\(tinyproxy.port)") == true)
        #expect(none?.description.contains("asks for a username") == true)
        let wrong = error(server.url(), configuration(proxy(tinyproxy.port, "user", "s3cret")))
        #expect(wrong?.code == .connection)
        #expect(wrong?.description.contains("status 40") == true, "\(wrong?.description ?? "none")")
        #expect(wrong?.description.contains("s3cret") == false)
        #expect(wrong?.libraryDetail?.contains("s3cret") != true)
    }

    @Test("a refusal by the proxy, and a server that the proxy cannot reach, are told with the status")
    func refusals() throws {
        let server = try PythonWebSocketsServer()
        let (strict, open) = (try TinyProxy(connectPort: 443), try TinyProxy())
        defer {
            server.stop()
            strict.stop()
            open.stop()
        }
        let forbidden = error(server.url(), configuration(proxy(strict.port)))
        #expect(forbidden?.code == .connection)
        #expect(forbidden?.httpResponse?.status.code == 403)
        let nobody = try FreePort.find()
        let unreachable = error("ws://127.0.0.1:\(nobody)/", configuration(proxy(open.port)))
        #expect(unreachable?.code == .connection)
        #expect(unreachable?.httpResponse?.status.kind == .serverError)
        #expect(unreachable?.isRetriable == true)
        // What the server says itself is not the proxy's.
        let notFound = error(server.url("/nothing"), configuration(proxy(open.port)))
        #expect(notFound?.code == .invalidHandshake)
        #expect(notFound?.httpResponse?.status.code == 404)
    }

    @Test("a proxy that cannot be reached is named")
    func unreachableProxy() throws {
        let port = try FreePort.find()
        let error = error("ws://example.com/", configuration(proxy(port, "user", "s3cret")))
        #expect(error?.code == .connection)
        #expect(error?.isRetriable == true)
        #expect(error?.description.contains("The proxy 127.0.0.1:\(port) could not be reached") == true)
        #expect(error?.description.contains("s3cret") == false)
    }

    // MARK: - The environment

    @Test("the environment is asked where the configuration says so, when the client is made")
    func environment() throws {
        let (server, tinyproxy) = (try PythonWebSocketsServer(), try TinyProxy(credentials: ("user", "passw0rd")))
        defer {
            server.stop()
            tinyproxy.stop()
        }
        let value = "http://user:p%61ssw0rd@127.0.0.1:\(tinyproxy.port)"
        let (direct, exempt, asked) = try withEnvironment(["http_proxy": value, "no_proxy": "localhost"]) {
            (
                try WebSocketClient(unconnected: server.url()),
                try WebSocketClient(
                    unconnected: "ws://localhost:\(server.port)/echo", configuration: configuration(.environment)),
                try WebSocketClient(unconnected: server.url(), configuration: configuration(.environment))
            )
        }
        try direct.connect()
        try exempt.connect()
        #expect(!tinyproxy.output.contains("CONNECT 127.0.0.1") && !tinyproxy.output.contains("CONNECT localhost"))
        try asked.connect()
        #expect(asked.isOpen)
        expectConnect("127.0.0.1:\(server.port)", tinyproxy)
        try withEnvironment(["http_proxy": "http://user:s3cret@"]) {
            let error = error(server.url(), configuration(.environment))
            #expect(error?.code == .invalidArgument)
            #expect(error?.description.contains("s3cret") == false)
            // Without being asked nobody looks at it.
            let client = try WebSocketClient(server.url(), loop: WebSocketLoop())
            #expect(client.isOpen)
        }
    }

    // MARK: - Vhosts

    @Test("clients of different proxies do not mix, and nothing is left of those that are gone")
    func vhosts() throws {
        let server = try PythonWebSocketsServer()
        let proxies = try (0..<4).map { try TinyProxy(credentials: ("user\($0)", "pass\($0)")) }
        defer {
            server.stop()
            for proxy in proxies { proxy.stop() }
        }
        let loop = WebSocketLoop()
        let configurations = proxies.enumerated().map { index, tinyproxy in
            configuration(proxy(tinyproxy.port, "user\(index)", "pass\(index)"))
        }
        let connecting = try (0..<32).map { index in
            try Background {
                try WebSocketClient(server.url(), configuration: configurations[index % 4], loop: loop)
            }
        }
        let clients = try connecting.map { try $0.value() }
        let openOnes = clients.filter(\.isOpen)
        #expect(openOnes.count == clients.count)
        #expect(try vhostCount(loop) == 5)
        for client in clients.dropFirst(4) { try client.close() }
        for client in clients.prefix(3) { try client.close() }
        #expect(clients[3].isOpen)
        let lease = try loop.lease()
        defer { _ = lease }
        #expect(try eventually { try vhostCount(loop) == 2 })
        try clients[3].close()
        #expect(try eventually { try vhostCount(loop) == 1 })
        #expect(try WebSocketClient(server.url(), configuration: configurations[0], loop: loop).isOpen)
    }

    private func vhostCount(_ loop: WebSocketLoop) throws -> Int? {
        try loop.onThread { held in held.resident(ClientVhostPool.self)?.count }
    }
}
