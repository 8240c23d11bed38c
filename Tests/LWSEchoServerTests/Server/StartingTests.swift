// What a server listens on, and why it cannot.

import Foundation
import LWSServiceLoop
import LWSWebSocket
import TestConditions
import TestSupport
import Testing

@testable import LWSEchoServer

@Suite("Starting a server", .serialized)
struct StartingTests {
    private func error(_ configuration: EchoServer.Configuration) -> EchoServerError? {
        #expect(throws: EchoServerError.self) { try EchoServer(configuration) }
    }

    @Test("on IPv6 works, with a bracketed URL", .needsIPv6)
    func ipv6() throws {
        let server = try EchoServer(.init(host: "::1"))
        #expect(server.url("x") == "ws://[::1]:\(server.port)/x")
        let client = try WebSocketClient(server.url())
        try client.writeTextMessage("six")
        #expect(try client.readTextMessage() == "six")
        try client.close()
        let raw = try server.rawClient()
        raw.send(.ping("six"))
        #expect(try raw.readFrame() == .pong("six"))
        // That port of IPv4 may be another's, but hardly those of ten servers.
        let isApart = try (0..<10).contains { _ in
            let server = try EchoServer(.init(host: "::1"))
            return (try? RawClient(host: "127.0.0.1", port: server.port)) == nil
        }
        #expect(isApart, "it listens on IPv6 alone")
    }

    @Test("on IPv6 is refused in words where libwebsockets was built without")
    func withoutIPv6() {
        let words = "cannot listen on port 0 of ::1: libwebsockets was built without IPv6 (cmake -DLWS_IPV6=ON)"
        let error = #expect(throws: EchoServerError.self) {
            try ListenCheck.validate(.init(host: "::1"), missing: [.ipv6])
        }
        #expect(error?.description == words)
        #expect(throws: Never.self) { try ListenCheck.validate(.init(), missing: [.ipv6]) }
    }

    @Test("on IPv6 is refused by a server where libwebsockets was built without", .lacks(.ipv6))
    func refusesIPv6() {
        #expect(error(.init(host: "::1"))?.description.contains("without IPv6") == true)
    }

    @Test(
        "on all addresses works for both kinds", .needsIPv6, arguments: [("0.0.0.0", "127.0.0.1"), ("::", "::1")])
    func all(host: String, address: String) throws {
        let server = try EchoServer(.init(host: host))
        let client = try RawClient(upgradedTo: "/echo", host: address, port: server.port)
        client.send(.text("any"))
        #expect(try client.readFrame() == .text("any"))
    }

    @Test("on a port that is taken fails with words, whoever has it")
    func portInUse() throws {
        let server = try EchoServer()
        let failed = error(.init(port: server.port))
        #expect(failed == .portInUse(host: "127.0.0.1", port: server.port))
        #expect(failed?.description == "port \(server.port) of 127.0.0.1 is in use")
        let other = try RawServer { $0.waitForEnd() }
        #expect(error(.init(port: other.port)) == .portInUse(host: "127.0.0.1", port: other.port))
        #expect(error(.init(host: "0.0.0.0", port: server.port)) == .portInUse(host: "0.0.0.0", port: server.port))
        // The one that was there still works.
        let client = try server.rawClient()
        client.send(.text("mine"))
        #expect(try client.readFrame() == .text("mine"))
    }

    @Test("on a port that a server has just left works")
    func portReused() throws {
        let first = try EchoServer()
        let client = try WebSocketClient(first.url())
        first.stop()
        let second = try EchoServer(.init(port: first.port))
        #expect(second.port == first.port)
        _ = try WebSocketClient(second.url())
        #expect(!client.isOpen)
    }

    @Test("on something that is no address, or not ours, fails with words")
    func addresses() {
        #expect(error(.init(host: "localhost")) == .invalidHost("localhost"))
        #expect(error(.init(host: ""))?.description == "'' is not a numeric IPv4 or IPv6 address")
        #expect(error(.init(port: 65536)) == .invalidPort(65536))
        #expect(error(.init(port: -1))?.description == "-1 is not a TCP port (0 to 65535)")
        // TEST-NET-1 (RFC 5737) belongs to nobody.
        guard case .cannotListen(host: "192.0.2.1", port: 0, let reason)? = error(.init(host: "192.0.2.1")) else {
            Issue.record("192.0.2.1 could be listened on")
            return
        }
        #expect(!reason.isEmpty)
    }

    @Test("with a sub-protocol that cannot be one fails with words")
    func subProtocols() {
        for name in ["", "a b", "a,b", "ü", String(repeating: "p", count: 64)] {
            #expect(error(.init(subProtocols: [name])) == .invalidSubProtocol(name))
        }
        #expect(error(.init(subProtocols: ["a", "a"])) == .invalidSubProtocol("a"))
    }

    @Test("with a certificate that cannot be read or used fails with words")
    func certificates() throws {
        let certificate = try SelfSignedCertificate()
        let other = try SelfSignedCertificate()
        let (good, key) = (certificate.certificateFile, certificate.privateKeyFile)
        #expect(
            error(.init(tls: .init(certificateFile: "/nonexistent/c.pem", privateKeyFile: key)))?.description
                == "cannot read '/nonexistent/c.pem': No such file or directory")
        #expect(
            error(.init(tls: .init(certificateFile: good, privateKeyFile: "/nonexistent/k.pem")))?.description
                == "cannot read '/nonexistent/k.pem': No such file or directory")
        for tls in [
            EchoServer.TLS(certificateFile: key, privateKeyFile: key),
            EchoServer.TLS(certificateFile: good, privateKeyFile: good),
            EchoServer.TLS(certificateFile: good, privateKeyFile: other.privateKeyFile),
        ] {
            let expected = EchoServerError.unusableCertificate(
                certificateFile: tls.certificateFile, privateKeyFile: tls.privateKeyFile)
            #expect(error(.init(tls: tls)) == expected)
        }
    }

    @Test("leaves nothing behind where it fails")
    func leaks() throws {
        let server = try EchoServer()
        let certificate = try SelfSignedCertificate()
        let wrong = EchoServer.TLS(
            certificateFile: certificate.privateKeyFile, privateKeyFile: certificate.privateKeyFile)
        func fail() {
            #expect(error(.init(port: server.port)) != nil)
            #expect(error(.init(host: "nowhere")) != nil)
            #expect(error(.init(tls: wrong)) != nil)
        }
        fail()
        let before = try Usage()
        for _ in 0..<20 { fail() }
        try before.expectBack()
    }
}
