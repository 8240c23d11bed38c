// Whether a server's certificate is for the server.

import TestSupport
import Testing

@testable import LWSWebSocket

extension SecureMatrix {
    @Suite("the host")
    struct Hosts {
        static let accepted = [
            SecureCase("localhost") { $0.host = "localhost" },
            SecureCase("LocalHost") { $0.host = "LocalHost" },
            SecureCase("127.0.0.1") { $0.host = "127.0.0.1" },
            SecureCase("127.0.0.1, of a certificate without names") {
                ($0.server.leaf, $0.host) = (.addressOnly, "127.0.0.1")
            },
            SecureCase("a.example.test, of a wildcard") { ($0.server.leaf, $0.host) = (.wildcard, "a.example.test") },
            SecureCase("A.Example.TEST, of a wildcard") { ($0.server.leaf, $0.host) = (.wildcard, "A.Example.TEST") },
            SecureCase("a.example.test, of a wildcard, as serverName") {
                ($0.server.leaf, $0.tls.serverName) = (.wildcard, "a.example.test")
            },
            SecureCase("other.test, as serverName, at an address") {
                ($0.server.leaf, $0.host, $0.tls.serverName) = (.wrongHost, "127.0.0.1", "other.test")
            },
            SecureCase("127.0.0.1 as serverName, of a certificate without names") {
                ($0.server.leaf, $0.tls.serverName) = (.addressOnly, "127.0.0.1")
            },
            SecureCase("::1 as serverName") { $0.tls.serverName = "::1" },
            SecureCase("another, which is not verified") {
                ($0.server.leaf, $0.tls.verifyHostName) = (.wrongHost, false)
            },
            SecureCase("an address, which is not verified") {
                ($0.server.leaf, $0.host, $0.tls.verifyHostName) = (.wildcard, "127.0.0.1", false)
            },
        ]

        @Test("is the right one:", arguments: SecurePeer.Kind.allCases, accepted)
        func accepts(kind: SecurePeer.Kind, secureCase: SecureCase) throws {
            try secureCase.expectAccepted(by: kind)
        }

        static let refused = [
            SecureCase("another", says: "is for the wrong host", "not for localhost but for other.test") {
                $0.server.leaf = .wrongHost
            },
            SecureCase(
                "another by serverName", says: "is for the wrong host: it is not for other.test but for localhost",
                "(connected to localhost)"
            ) { $0.tls.serverName = "other.test" },
            SecureCase("two labels before a wildcard's", says: "not for b.a.example.test but for *.example.test") {
                ($0.server.leaf, $0.host) = (.wildcard, "b.a.example.test")
            },
            SecureCase("none before a wildcard's", says: "not for example.test but for *.example.test") {
                ($0.server.leaf, $0.host) = (.wildcard, "example.test")
            },
            SecureCase("no dot before a wildcard's", says: "for the wrong host", "not for xexample.test but for") {
                ($0.server.leaf, $0.host) = (.wildcard, "xexample.test")
            },
            SecureCase(
                "another top-level domain than a wildcard's", says: "not for a.example.tests but for *.example.test"
            ) {
                ($0.server.leaf, $0.host) = (.wildcard, "a.example.tests")
            },
            SecureCase("the common name, of a certificate for addresses", says: "not for address but for 127.0.0.1") {
                ($0.server.leaf, $0.host) = (.addressOnly, "address")
            },
            SecureCase(
                "common name only", says: "is for the wrong host", "not for localhost but for no name at all",
                "common name does not count"
            ) {
                $0.server.leaf = .commonNameOnly
            },
            SecureCase("an address, of a certificate for names", says: "not for 127.0.0.1 but for other.test") {
                ($0.server.leaf, $0.host) = (.wrongHost, "127.0.0.1")
            },
            SecureCase("an address that is not in it", says: "not for 127.0.0.2 but for", "127.0.0.1") {
                $0.tls.serverName = "127.0.0.2"
            },
            SecureCase("a name, of a certificate for addresses", says: "not for localhost but for 127.0.0.1") {
                $0.server.leaf = .addressOnly
            },
        ]

        @Test("is the wrong one:", arguments: SecurePeer.Kind.allCases, refused)
        func refuses(kind: SecurePeer.Kind, secureCase: SecureCase) throws {
            try secureCase.expectRefused(by: kind)
        }
    }
}
