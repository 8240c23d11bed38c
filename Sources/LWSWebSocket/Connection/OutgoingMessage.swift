// A message or control frame on its way out.

internal import LWSServiceLoop

/// What a caller wants sent, in a buffer of its own that lws may write into: it wants room for the frame's header
/// before the payload, and masks the payload in place (lws-write.h, `lws_write`).
final class OutgoingMessage: @unchecked Sendable {
    // Safe to share: the buffer is filled before anyone else knows the object, then touched by the holder of the
    // loop alone, as `leftAt` is; `outcome` belongs to the lock of the connection's state; the rest is constant.
    enum Kind: Sendable {
        case text, binary, ping, pong
        var isControl: Bool { self == .ping || self == .pong }
    }

    enum Outcome {
        /// Every byte has been handed to the operating system.
        case sent
        /// The connection ended before any of it was handed to lws. It may be sent on another.
        case unsent
        /// The connection ended when some of it, or all, had been handed to lws. Nobody knows what has arrived.
        case cut
    }

    /// Bytes that lws wants before a payload (`LWS_PRE`, 16 where pointers have 8 bytes).
    static let headroom = 16

    let kind: Kind
    let count: Int
    let semaphore = MonotonicSemaphore()
    var outcome: Outcome?
    /// When a control frame was handed to lws.
    var leftAt: ContinuousClock.Instant?
    private let buffer: UnsafeMutableRawBufferPointer

    init(_ kind: Kind, _ payload: UnsafeRawBufferPointer) {
        self.kind = kind
        count = payload.count
        buffer = .allocate(byteCount: Self.headroom + payload.count, alignment: 16)
        UnsafeMutableRawBufferPointer(rebasing: buffer[Self.headroom...]).copyMemory(from: payload)
    }

    deinit { buffer.deallocate() }

    /// The payload from `offset` on, with ``headroom`` writable bytes before it. While the message goes out those
    /// may be the end of the frame before, which has left by then.
    func payload(from offset: Int) -> UnsafeMutableRawPointer? {
        buffer.baseAddress.map { $0 + Self.headroom + offset }
    }
}
