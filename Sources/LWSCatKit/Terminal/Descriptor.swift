// Reading and writing descriptors without buffers between.

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// One of the process's standard descriptors. What is written is with the system when the call returns, so nothing is left
/// behind in a buffer, however the process ends.
struct Descriptor: Sendable {
    let number: Int32

    static let input = Descriptor(number: STDIN_FILENO)
    static let output = Descriptor(number: STDOUT_FILENO)
    static let errors = Descriptor(number: STDERR_FILENO)

    var isTerminal: Bool { isatty(number) == 1 }

    /// Writes all of it. Returns false where nobody reads it any more, or it cannot be written.
    @discardableResult
    func write(_ text: String) -> Bool { write(Array(text.utf8)) }

    @discardableResult
    func write(_ bytes: [UInt8]) -> Bool {
        bytes.withUnsafeBytes { buffer in
            var rest = buffer[...]
            while !rest.isEmpty {
                let part = UnsafeRawBufferPointer(rebasing: rest)
                #if canImport(Darwin)
                    let count = Darwin.write(number, part.baseAddress, part.count)
                #else
                    let count = Glibc.write(number, part.baseAddress, part.count)
                #endif
                if count > 0 {
                    rest = rest.dropFirst(count)
                } else if errno == EAGAIN {
                    // Whoever shares the descriptor has made it non-blocking.
                    wait(for: Int16(POLLOUT))
                } else if errno != EINTR {
                    return false
                }
            }
            return true
        }
    }

    /// What there is, of at most 64 KiB; blocks for at least a byte. Empty at the end, and where it cannot be read.
    func read() -> [UInt8] {
        var chunk = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            #if canImport(Darwin)
                let count = Darwin.read(number, &chunk, chunk.count)
            #else
                let count = Glibc.read(number, &chunk, chunk.count)
            #endif
            if count >= 0 { return Array(chunk.prefix(count)) }
            if errno == EAGAIN { wait(for: Int16(POLLIN)) } else if errno != EINTR { return [] }
        }
    }

    private func wait(for events: Int16) {
        var watched = pollfd(fd: number, events: events, revents: 0)
        poll(&watched, 1, -1)
    }
}
