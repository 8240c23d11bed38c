// Reading the file of a configuration.

internal import LWSServiceLoop

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// What is at a path, which may be a pipe: passwords come from one rather than lie about.
enum ConfigurationFile {
    /// A device would never end.
    static let longest = 1 << 20

    /// Why there is nothing to read, in words.
    struct Failure: Error {
        let words: String

        fileprivate static var system: Failure { Failure(words: SystemReason.words(errno)) }
    }

    /// Waits until a pipe has ended.
    static func bytes(of path: String) throws(Failure) -> [UInt8] {
        guard !path.utf8.contains(0) else { throw Failure(words: "its path has a NUL in it") }
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw .system }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 16384)
        while bytes.count <= longest {
            let count = read(descriptor, &piece, piece.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw .system }
            guard count > 0 else { return bytes }
            bytes += piece.prefix(count)
        }
        throw Failure(words: "it has more than \(longest) bytes")
    }
}
