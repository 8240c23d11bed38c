// What goes along with TLS: compression above it, the server's name and the application protocol in it.

import HTTPTypes
import TestConditions
import TestSupport
import Testing

@testable import LWSWebSocket

extension SecureMatrix {
    @Suite("a connection")
    struct Negotiation {
        @Test(
            "is compressed where that is agreed, and else not",
            arguments: SecurePeer.Kind.allCases, compressionOffAndOn)
        func compression(kind: SecurePeer.Kind, isCompressed: Bool) throws {
            for version in [TLSVersion.tls12, .tls13] {
                let secureCase = SecureCase("") { $0.isCompressed = isCompressed }
                try secureCase.limited(to: version).expectAccepted(by: kind) { client, _ in
                    let agreed = client.httpResponse?.headerFields[.secWebSocketExtensions]
                    #expect((agreed?.contains("permessage-deflate") == true) == isCompressed)
                }
            }
        }

        @Test("agrees on HTTP/1.1", arguments: SecurePeer.Kind.allCases)
        func applicationProtocol(kind: SecurePeer.Kind) throws {
            for version in [TLSVersion.tls12, .tls13] {
                try SecureCase("").limited(to: version).expectAccepted(by: kind) { client, _ in
                    #expect(client.tlsInfo?.applicationProtocol == "http/1.1")
                }
            }
        }

        /// The URL's host, the name that settings give in its place, and the one that the server is to see.
        typealias Names = (host: String, serverName: String?, seen: String?)

        static let names: [Names] = [
            ("localhost", nil, "localhost"),
            ("LocalHost", nil, "localhost"),
            ("127.0.0.1", nil, nil),
            ("a.example.test", nil, "a.example.test"),
            ("localhost", "a.example.test", "a.example.test"),
            ("127.0.0.1", "localhost", "localhost"),
            ("localhost", "127.0.0.1", nil),
        ]

        @Test("tells the server whom it is for, but no address", arguments: names)
        func serverName(names: Names) throws {
            let secureCase = SecureCase("") {
                ($0.host, $0.tls.serverName, $0.path) = (names.host, names.serverName, "/tls")
                if names.seen?.hasSuffix("example.test") == true { $0.server.leaf = .wildcard }
            }
            try secureCase.expectAccepted(by: .python) { client, _ in
                let facts = try PythonWebSocketsServer.TLSFacts(json: client.readTextMessage())
                #expect(facts.serverName == names.seen)
                #expect(facts.protocol == "http/1.1")
                #expect(facts.version == "TLSv1.3")
                #expect(!facts.reused)
                #expect(facts.subject == nil)
            }
        }
    }
}
