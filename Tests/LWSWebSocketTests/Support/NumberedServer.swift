// Servers that treat one connection after the other differently.

import HTTPTypes
import LWSServiceLoop
import TestSupport

@testable import LWSWebSocket

/// A server that treats each connection, counted from 0, as its script says.
final class NumberedServer: Sendable {
    private let server: RawServer
    private let connections: Locked<Int>

    init(tls: TLSIdentity? = nil, _ script: @escaping @Sendable (Int, RawConnection) throws -> Void) throws {
        let connections = Locked(0)
        self.connections = connections
        server = try RawServer(tls: tls) { peer in
            let number = connections.withLock { count in
                defer { count += 1 }
                return count
            }
            try? script(number, peer)
        }
    }

    deinit { stop() }
    func stop() { server.stop() }

    /// How many there were so far.
    var count: Int { connections.withLock { $0 } }
    var port: Int { server.port }
    func url() -> String { server.url() }
}

extension NumberedServer {
    /// Never answers.
    static func silent() throws -> NumberedServer {
        try NumberedServer { _, peer in
            _ = try peer.readRequestHead()
            peer.waitForEnd()
        }
    }

    /// Redirects the first handshake, refuses the credentials of the second, and takes the third.
    static func detouring() throws -> NumberedServer {
        try NumberedServer { number, peer in
            if number == 2 { try peer.acceptUpgrade() } else { _ = try peer.readRequestHead() }
            if number == 0 { peer.redirect(to: "/there?secret") }
            if number == 1 { peer.send("HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n") }
            peer.waitForEnd()
        }
    }
}

/// Has other credentials where the first were refused.
struct SecondGuess: HandshakeAuthenticator {
    func headerFields(for request: AuthenticationRequest) -> HTTPFields { [.authorization: "guess"] }
    func wasRefused(_ refusal: AuthenticationRefusal) -> Bool { true }
}

extension RawConnection {
    /// Answers a handshake that was read.
    func redirect(to location: String) {
        send("HTTP/1.1 302 Found\r\nLocation: \(location)\r\nContent-Length: 0\r\n\r\n")
    }

    /// Answers the handshake with a status that is no 101.
    func refuse(_ status: Int) throws {
        _ = try readRequestHead()
        send("HTTP/1.1 \(status) No\r\nContent-Length: 0\r\n\r\n")
        waitForEnd()
    }
}
