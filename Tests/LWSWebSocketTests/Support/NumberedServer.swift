// Servers that treat one connection after the other differently.

import LWSServiceLoop
import TestSupport

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

extension RawConnection {
    /// Answers the handshake with a status that is no 101.
    func refuse(_ status: Int) throws {
        _ = try readRequestHead()
        send("HTTP/1.1 \(status) No\r\nContent-Length: 0\r\n\r\n")
        waitForEnd()
    }
}
