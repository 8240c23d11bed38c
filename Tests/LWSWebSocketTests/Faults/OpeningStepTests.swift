// Where a handshake hangs that takes too long.

import TestSupport
import Testing

@testable import LWSWebSocket

@Suite("A handshake that hangs", .serialized)
struct OpeningStepTests {
    /// Says nothing to whoever connects.
    private static func silentServer() throws -> RawServer { try RawServer { $0.waitForEnd() } }

    private func expect(
        _ words: String, _ url: String, _ resolver: any NameResolver = SystemNameResolver.shared,
        _ change: (inout ClientConfiguration) throws -> Void = { _ in }
    ) throws {
        var configuration = ClientConfiguration()
        try change(&configuration)
        // Where the machine is so busy that the step before is not done in time, that is named; more time goes further.
        let isNamed = try succeedsWithSomeLimit { limit in
            configuration.handShakeTimeout = limit
            let client = try WebSocketClient(url, configuration, WebSocketLoop.shared, resolver)
            let error = try #require(failure { try client.connect() })
            #expect(error.code == .handshakeTimedOut && error.isRetriable, "\(error)")
            return error.description.contains(": \(words); raise handShakeTimeout")
        }
        #expect(isNamed, "\(words)")
    }

    @Test("in the look-up of the name is said to hang there")
    func resolving() throws {
        try expect("the look-up of its name did not answer", "ws://silent.test/", SlowResolver())
    }

    @Test("at an address that does not answer is said to hang there")
    func connecting() throws {
        let hole = try BlackHole(host: "127.0.0.1")
        try expect("nobody answered at 127.0.0.1", "ws://127.0.0.1:\(hole.port)/")
    }

    @Test("at a proxy is said to hang there")
    func proxy() throws {
        let server = try Self.silentServer()
        defer { server.stop() }
        try expect("the proxy 127.0.0.1:\(server.port) did not answer", "ws://localhost/") {
            $0.proxy = Proxy(host: "127.0.0.1", port: server.port)
        }
    }

    @Test("in TLS is said to hang there")
    func securing() throws {
        let server = try Self.silentServer()
        defer { server.stop() }
        try expect("its TLS handshake was not complete", server.secureURL()) {
            $0 = try SecureFaults.configuration { $0.secureSocket?.handshakeTimeout = nil }
        }
    }

    @Test("for want of an answer is said to hang there, also over TLS", arguments: [false, true])
    func answer(_ isSecure: Bool) throws {
        let tls = isSecure ? try TLSIdentity(CertificateAuthority.shared.server(.good)) : nil
        let server = try RawServer(tls: tls) { $0.waitForEnd() }
        defer { server.stop() }
        try expect("it did not answer the WebSocket handshake", server.url()) {
            $0 = try SecureFaults.configuration()
        }
    }
}
