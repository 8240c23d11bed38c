// A `ws:` URL that leads to a server with TLS.

import HTTPTypes
import TestSupport
import Testing

@testable import LWSWebSocket

@Suite("A server with TLS that is asked without", .serialized)
struct PlainToTLSTests {
    private static let hint = "use a wss: URL"

    @Test("is called that where it answers with an alert")
    func alert() throws {
        let server = try RawServer { peer in
            _ = try? peer.readRequestHead()
            peer.send([21, 3, 3, 0, 2, 2, 70])
            peer.closeConnection()
        }
        defer { server.stop() }
        let error = try #require(failure { try WebSocketClient(server.url()) })
        #expect(error.code == .invalidHandshake && !error.isRetriable)
        #expect(error.description.hasSuffix("it speaks TLS on port \(server.port): \(Self.hint)"), "\(error)")
    }

    @Test("is called that where it says so, as nginx does")
    func nginx() throws {
        let nginx = try NginxServer(upstream: FreePort.find(), identity: CertificateAuthority.shared.server(.good))
        defer { nginx.stop() }
        let error = try #require(failure { try WebSocketClient("ws://127.0.0.1:\(nginx.port)/") })
        #expect(error.code == .invalidHandshake && error.httpResponse?.status.code == 400)
        #expect(error.description.hasSuffix("it speaks TLS on port \(nginx.port): \(Self.hint)"), "\(error)")
    }

    @Test("may be that where it ends the connection without a word, as OpenSSL has Python do")
    func silent() throws {
        let python = try SecureFaults.pythonServer()
        defer { python.stop() }
        let error = try #require(failure { try WebSocketClient("ws://127.0.0.1:\(python.port)/") })
        #expect(error.code == .connection)
        #expect(error.description.hasSuffix("if it speaks TLS on port \(python.port), \(Self.hint)"), "\(error)")
    }

    @Test("is not suspected where the answer says something else", arguments: ["HTTPS", "no such page", ""])
    func others(_ body: String) throws {
        let server = try RawServer { peer in
            _ = try? peer.readRequestHead()
            peer.send("HTTP/1.1 400 No\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)")
            peer.waitForEnd()
        }
        defer { server.stop() }
        let error = try #require(failure { try WebSocketClient(server.url()) })
        #expect(error.code == .invalidHandshake && !error.description.contains("TLS"), "\(error)")
    }
}
