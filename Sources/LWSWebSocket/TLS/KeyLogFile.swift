// The file that the keys of connections are written to.

internal import LWSServiceLoop

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif
#if canImport(FoundationEssentials)
    internal import FoundationEssentials
#else
    internal import Foundation
#endif

/// An open key log.
final class KeyLogFile: Sendable {
    private let descriptor: Int32

    /// - Throws: `ssl` naming the file where it cannot be written.
    init(_ path: String) throws(WebSocketError) {
        descriptor = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0o600)
        guard descriptor >= 0 else {
            let reason = errno
            throw WebSocketError(
                .ssl, "secureSocket.keyLog: \(path) cannot be written: \(SystemReason.words(reason))",
                isTransient: DescriptorShortage.isReason(reason))
        }
    }

    deinit { close(descriptor) }

    /// Adds a line. In one piece, for others may write to the file as well. A full disk loses the line.
    func add(_ line: UnsafePointer<CChar>) {
        let bytes = Array(UnsafeRawBufferPointer(start: line, count: strlen(line))) + [UInt8(ascii: "\n")]
        _ = write(descriptor, bytes, bytes.count)
    }
}

extension ClientSecureSocket.KeyLog {
    /// `nil` where the environment names none.
    var path: String? {
        switch self {
        case .file(let path): return path
        case .environment:
            let path = ProcessInfo.processInfo.environment["SSLKEYLOGFILE"]
            return path?.isEmpty == true ? nil : path
        }
    }
}
