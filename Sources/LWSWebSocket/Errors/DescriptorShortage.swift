// Telling a shortage of descriptors from other reasons why something cannot be opened.

internal import LWSServiceLoop

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// The process (EMFILE) or the system (ENFILE) has no descriptor left. It goes by, so what failed for it may be tried again.
enum DescriptorShortage {
    static func isReason(_ code: Int32) -> Bool { code == EMFILE || code == ENFILE }

    /// The system's words where there is none left at this moment, for a library that has not told why it failed.
    static var words: String? { reason(opening: "/").map(SystemReason.words) }

    /// Whether a file is there that cannot be opened for that reason.
    static func hides(_ path: UnsafePointer<CChar>) -> Bool { reason(opening: path) != nil }

    private static func reason(opening path: UnsafePointer<CChar>) -> Int32? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor < 0 else {
            close(descriptor)
            return nil
        }
        let code = errno
        return isReason(code) ? code : nil
    }
}
