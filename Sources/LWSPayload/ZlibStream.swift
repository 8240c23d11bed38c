// A stream of zlib's in memory of its own.

internal import CZlib

/// The stream points to itself, so it stays where it is. Whoever owns it sets it up, and ends it before it goes.
struct ZlibStream: ~Copyable {
    let pointer = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)

    init() { pointer.initialize(to: z_stream()) }

    deinit {
        pointer.deinitialize(count: 1)
        pointer.deallocate()
    }

    /// What zlib reads next. It does not change it.
    func give(_ input: UnsafeRawBufferPointer) {
        pointer.pointee.next_in = UnsafeMutablePointer(
            mutating: input.baseAddress?.assumingMemoryBound(to: UInt8.self))
        pointer.pointee.avail_in = uInt(input.count)
    }
}
