// Where compressed and inflated bytes stand until lws has taken them.

import CLibWebSockets

/// Two buffers for all connections of a host. lws takes what stands in them before its next call: inflated bytes
/// go to `LWS_CALLBACK_RECEIVE` at once, compressed ones to the socket, or are copied.
final class DeflateBuffers {
    let received = GrowingBuffer(headroom: 0)
    let sent = GrowingBuffer(headroom: clws_pre)
}

/// Bytes at one place that grow as needed, after room that belongs to lws.
final class GrowingBuffer {
    private let headroom: Int
    private var memory: UnsafeMutablePointer<UInt8>
    /// Bytes after the headroom, with one more behind them: lws ends received bytes with a NUL (roles/ws/ops-ws.c:
    /// lws_ws_rx_sm).
    private(set) var capacity = initialCapacity

    private static let initialCapacity = 65536
    /// More than this is given back when it is not needed.
    private static let keptCapacity = 1 << 20

    init(headroom: Int) {
        self.headroom = headroom
        memory = .allocate(capacity: headroom + Self.initialCapacity + 1)
    }

    deinit { memory.deallocate() }

    var bytes: UnsafeMutablePointer<UInt8> { memory + headroom }

    /// Makes room for `count` bytes, keeping the first `used`.
    func reserve(_ count: Int, keeping used: Int) {
        guard count > capacity || (used == 0 && capacity > Self.keptCapacity && count <= Self.keptCapacity) else {
            return
        }
        // Doubled where bytes have to be copied, so that growing in small steps costs no more than the bytes do.
        let size = max(count, used == 0 ? Self.initialCapacity : capacity * 2)
        let larger = UnsafeMutablePointer<UInt8>.allocate(capacity: headroom + size + 1)
        (larger + headroom).update(from: bytes, count: min(used, size))
        memory.deallocate()
        memory = larger
        capacity = size
    }
}
