// Where the masking keys of outgoing frames come from.

internal import CLibWebSockets
internal import LWSServiceLoop

/// Random bytes of the kernel, read a page at a time, for the masks of all connections of a loop (RFC 6455, section 5.3:
/// "derived from a strong source of entropy").
final class MaskPool: LoopResident {
    private var keys = [UInt32](repeating: 0, count: 1024)
    private var left = 0

    init?(_ held: borrowing HeldLoop) {}

    /// A key that nobody has used; `nil` where the kernel gives none.
    func next(_ held: borrowing HeldLoop) -> UInt32? {
        if left == 0 {
            let size = keys.count * MemoryLayout<UInt32>.size
            let read = keys.withUnsafeMutableBytes { lws_get_random(held.context, $0.baseAddress, size) }
            guard read == size else { return nil }
            left = keys.count
        }
        left -= 1
        return keys[left]
    }
}
