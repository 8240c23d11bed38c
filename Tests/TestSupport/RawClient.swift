// A plain TCP client, to look at servers with.

import Foundation
import LWSServiceLoop

/// A connection to a port of loopback, byte for byte. A read that gets nothing for a minute ends as if the peer had ended
/// the connection, so that a server that falls silent fails its test instead of halting it.
package final class RawClient: Sendable {
    /// How a read ended.
    package enum ReadResult: Equatable, Sendable {
        case bytes([UInt8])
        case ended
        /// With this `errno`.
        case failed(Int32)
    }

    package let connection: RawConnection
    private let socket: SocketHandle

    package init(host: String = "127.0.0.1", port: Int) throws {
        let descriptor = try Loopback.connect(host: host, port: port)
        Loopback.limitReads(of: descriptor, toSeconds: 60)
        socket = SocketHandle(descriptor)
        connection = RawConnection(socket, stopped: MonotonicSemaphore())
    }

    /// One read from the system, past whatever ``connection`` has taken in already.
    package func readResult() -> ReadResult {
        var chunk = [UInt8](repeating: 0, count: 16384)
        let result = socket.use { descriptor in
            let count = recv(descriptor, &chunk, chunk.count, 0)
            return count < 0 ? ReadResult.failed(errno) : count == 0 ? .ended : .bytes(Array(chunk.prefix(count)))
        }
        return result ?? .ended
    }
}
