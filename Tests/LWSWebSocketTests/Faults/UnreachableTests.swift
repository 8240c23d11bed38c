// Why an address cannot be connected to.

import Foundation
import LWSServiceLoop
import TestConditions
import TestSupport
import Testing

@testable import LWSWebSocket

@Suite("An address that cannot be reached", .serialized)
struct UnreachableTests {
    private func error(
        _ url: String, _ addresses: [String]? = nil, _ configuration: ClientConfiguration = ClientConfiguration()
    ) throws -> WebSocketError? {
        let resolver: any NameResolver = addresses.map(FixedResolver.init) ?? SystemNameResolver.shared
        let client = try WebSocketClient(url, configuration, WebSocketLoop(), resolver)
        let error = failure { try client.connect() }
        #expect(error?.code == .connection && error?.isRetriable == true, "\(error as Any)")
        return error
    }

    private func expectRefusal(_ scheme: String, _ place: String, named name: String) throws {
        let port = try FreePort.find()
        let words = "could not be reached, port \(port): Connection refused"
        #expect(try error("\(scheme)://\(place):\(port)/")?.description == "\(name) \(words)")
    }

    @Test("is named with the system's reason where nobody listens, also over TLS", arguments: ["ws", "wss"])
    func refused(_ scheme: String) throws {
        try expectRefusal(scheme, "127.0.0.1", named: "127.0.0.1")
    }

    @Test("is named likewise where it has an IPv6 address", .needsIPv6, arguments: ["ws", "wss"])
    func refusedByIPv6(_ scheme: String) throws {
        try expectRefusal(scheme, "[::1]", named: "::1")
    }

    @Test("is the one that was tried last, with its reason", .needsIPv6)
    func last() throws {
        let port = try FreePort.find()
        for (addresses, last) in [
            (["127.0.0.1", "::1"], "::1"), (["::1", "127.0.0.1"], "127.0.0.1"),
            (["255.255.255.255", "127.0.0.2"], "127.0.0.2"),
        ] {
            let error = try error("ws://several.test:\(port)/", addresses)
            #expect(
                error?.description
                    == "several.test could not be reached at \(last), port \(port): Connection refused")
        }
        let unreachable = try error("ws://several.test:\(port)/", ["127.0.0.1", "255.255.255.255"])
        #expect(
            unreachable?.description
                == "several.test could not be reached at 255.255.255.255, port \(port): Network is unreachable")
    }

    @Test("is named with its time where it did not answer and there is no other", .needsIPv6)
    func timedOut() throws {
        let hole = try BlackHole(host: "127.0.0.1")
        var configuration = ClientConfiguration()
        // The other address is none for it, so the first has only its share of the time.
        configuration.localAddress = "127.0.0.1"
        configuration.handShakeTimeout = .seconds(4)
        let error = try error("ws://both.test:\(hole.port)/", ["127.0.0.1", "::1"], configuration)
        #expect(
            error?.description
                == "both.test could not be reached at 127.0.0.1, port \(hole.port): Connection timed out")
    }

    #if os(Linux)
        /// Connections to the port that have not been answered yet (proc(5), /proc/net/tcp: SYN_SENT).
        private func unanswered(_ port: Int) throws -> Int {
            // Not with `contentsOfFile`, which takes one read of a page for all of it.
            let handle = try #require(FileHandle(forReadingAtPath: "/proc/net/tcp"))
            let table = try handle.readToEnd().map { String(decoding: $0, as: UTF8.self) } ?? ""
            let place = String(format: ":%04X 02 ", port)
            return table.split(separator: "\n").count { $0.contains(place) }
        }

        @Test("is named with the reason that comes later", arguments: [false, true])
        func later(_ takesProxy: Bool) throws {
            var hole: BlackHole? = try BlackHole(host: "127.0.0.1")
            let port = try #require(hole?.port)
            // Its own, of which one has been answered.
            #expect(eventually { (try? unanswered(port)) == 2 })
            var configuration = ClientConfiguration()
            if takesProxy { configuration.proxy = Proxy(host: "127.0.0.1", port: port) }
            let url = takesProxy ? "ws://localhost/" : "ws://127.0.0.1:\(port)/"
            let call = try Background { [configuration] in try error(url, nil, configuration) }
            #expect(eventually { (try? unanswered(port)) == 3 })
            // The system asks again, and is refused then.
            hole = nil
            let words =
                takesProxy ? "The proxy 127.0.0.1:\(port) could not be reached" : "could not be reached, port \(port)"
            #expect(try call.value()?.description.hasSuffix("\(words): Connection refused") == true)
        }
    #endif

    @Test("is named with the reason after several lost connections, too")
    func reconnecting() throws {
        let server = try NumberedServer { _, peer in
            try peer.acceptUpgrade()
            peer.sendFrame(opcode: 1, [65])
            _ = try peer.readFrame()
            peer.closeConnection()
        }
        let port = server.port
        let log = RetryLog()
        let client = try WebSocketClient(server.url(), configuration: log.configuration(maxCount: 2))
        for _ in 0..<5 {
            #expect(try client.readTextMessage() == "A")
            try client.writeTextMessage("x")
        }
        #expect(try client.readTextMessage() == "A")
        server.stop()
        // What is being written while the connection is lost is not written again.
        #expect(eventually { !client.isOpen })
        let error = failure { try client.writeTextMessage("x") }
        #expect(error?.code == .connection || error?.code == .connectionClosure)
        #expect(
            error?.description.hasSuffix("127.0.0.1 could not be reached, port \(port): Connection refused") == true,
            "\(error as Any)")
    }

    @Test("is named with the reason where a token was to be had from there")
    func tokens() throws {
        let port = try FreePort.find()
        var configuration = ClientConfiguration()
        configuration.auth = .oauth2(
            OAuth2TokenProvider(
                .clientCredentials(tokenUrl: "https://127.0.0.1:\(port)/token", clientId: "c", clientSecret: "s")))
        let error = failure { try WebSocketClient("ws://127.0.0.1:1/", configuration: configuration) }
        #expect(error?.code == .auth && error?.isRetriable == true)
        #expect(
            error?.description.contains("could not be reached, port \(port): Connection refused") == true,
            "\(error as Any)")
    }

    @Test("is named with the reason where it is a socket in the file system", .needsUnixSockets)
    func unixSocket() throws {
        let folder = try TemporaryFolder("lws")
        let place = folder.file("s")
        func words(_ path: String) throws -> String? { try error("ws+unix://\(path):/")?.description }
        let nobody = "Nobody accepts connections on the socket"
        #expect(try words(place) == "\(nobody) \(place): No such file or directory")
        let server = try PythonWebSocketsServer(unixSocket: place)
        server.kill()
        #expect(try words(place) == "\(nobody) \(place): Connection refused")
        let file = folder.file("file")
        try Data().write(to: URL(filePath: file))
        #expect(try words(file) == "\(nobody) \(file): Connection refused")
        #expect(try words("\(file)/s") == "\(nobody) \(file)/s: Not a directory")
    }
}
