// Files/: files that settings name.
//
// Holds: a file or its content in memory, the reading of it, and what tells one state of a file from another.
// Used by: Configuration, TLS, OpenSSL.
// Uses: Errors; LWSServiceLoop.

internal import LWSServiceLoop

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// A file, or its contents in memory.
public struct FileSource: Sendable, Hashable, ExpressibleByStringLiteral {
    enum Place: Sendable, Hashable {
        case file(String)
        case bytes([UInt8])
    }

    let place: Place

    /// A file, which is read when a client connects, and again when it connects after the file has changed.
    public static func file(_ path: String) -> FileSource { FileSource(place: .file(path)) }

    /// What a file would hold.
    public static func bytes(_ bytes: some Sequence<UInt8>) -> FileSource { FileSource(place: .bytes(Array(bytes))) }

    private init(place: Place) { self.place = place }

    /// The path of a file.
    public init(stringLiteral path: String) { self = .file(path) }

    var path: String? {
        if case .file(let path) = place { path } else { nil }
    }

    func validate(_ field: String) throws(WebSocketError) {
        switch place {
        case .file(let path):
            guard !path.isEmpty, !path.utf8.contains(0) else {
                throw WebSocketError(.invalidArgument, "\(field): the file's path is empty, or has a NUL in it")
            }
        case .bytes(let bytes):
            guard !bytes.isEmpty else { throw WebSocketError(.invalidArgument, "\(field): it is empty") }
        }
    }
}

extension FileSource: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// The path, or how many bytes there are; never the bytes, which may be a key.
    public var description: String {
        switch place {
        case .file(let path): path
        case .bytes(let bytes): "\(bytes.count) bytes in memory"
        }
    }

    /// The same as `description`.
    public var debugDescription: String { description }

    /// Shows nothing of what is inside, for it may be a key.
    public var customMirror: Mirror { Mirror(self, children: [:]) }
}

// MARK: - Reading the files that the settings name

/// What tells one state of a file from another, so that changed certificates are read again.
struct FileStamp: Sendable, Hashable {
    private let device: UInt64
    private let node: UInt64
    private let size: Int64
    private let seconds: Int
    private let nanoseconds: Int

    /// `nil` where there is no such file.
    init?(_ path: String) {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        self.init(status)
    }

    fileprivate init(_ status: stat) {
        device = UInt64(truncatingIfNeeded: status.st_dev)
        node = UInt64(truncatingIfNeeded: status.st_ino)
        size = Int64(status.st_size)
        // The time of the change of status: a program may set the other one back.
        #if canImport(Darwin)
            let changed = status.st_ctimespec
        #else
            let changed = status.st_ctim
        #endif
        seconds = changed.tv_sec
        nanoseconds = changed.tv_nsec
    }

    /// All of it.
    var bytes: [UInt8] {
        [
            device, node, UInt64(bitPattern: size), UInt64(bitPattern: Int64(seconds)),
            UInt64(bitPattern: Int64(nanoseconds)),
        ].withUnsafeBytes { Array($0) }
    }
}

/// A place that settings name: one field's file or bytes.
struct FieldFile {
    /// For errors: "secureSocket.cert".
    let field: String
    let source: FileSource
    /// What an error about it is: of TLS, or of what a key signs.
    var code = WebSocketError.Code.ssl

    /// Bytes that a file may have. System bundles have a quarter of a megabyte; revocation lists may be long.
    private static let longest = 64 << 20

    /// For errors, in front of what is wrong.
    var name: String {
        if let path = source.path { "\(field): \(path)" } else { "\(field): what is in memory" }
    }

    func error(_ what: String, detail: String? = nil, isTransient: Bool = false) -> WebSocketError {
        WebSocketError(code, "\(name) \(what)", libraryDetail: detail, isTransient: isTransient)
    }

    /// What is in it was read, and cannot be kept.
    var noMemory: WebSocketError { error("cannot be taken over: out of memory", isTransient: true) }

    /// - Throws: `ssl` naming the file where it cannot be read.
    func bytes() throws(WebSocketError) -> [UInt8] {
        switch source.place {
        case .bytes(let bytes): return bytes
        case .file(let path):
            // A pipe that nobody writes to would block for ever, a device never end.
            let descriptor = Interrupted.again { open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK) }
            guard descriptor >= 0 else { throw unreadable() }
            defer { close(descriptor) }
            var status = stat()
            guard fstat(descriptor, &status) == 0 else { throw unreadable() }
            guard status.st_mode & S_IFMT == S_IFREG else { throw error("cannot be read: it is not a regular file") }
            guard status.st_size <= Self.longest else {
                throw error("cannot be read: it has more than \(Self.longest) bytes")
            }
            return try read(descriptor, Int(status.st_size))
        }
    }

    private func read(_ descriptor: Int32, _ size: Int) throws(WebSocketError) -> [UInt8] {
        var failed = false
        let bytes = [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
            while count < size {
                let got = Interrupted.again {
                    pread(descriptor, buffer.baseAddress.map { $0 + count }, size - count, off_t(count))
                }
                failed = got < 0
                guard got > 0 else { break }
                count += got
            }
        }
        guard !failed else { throw unreadable() }
        return bytes
    }

    private func unreadable() -> WebSocketError {
        let reason = errno
        return error(
            "cannot be read: \(SystemReason.words(reason))", isTransient: SystemReason.shortage(reason) != nil)
    }

    /// The files of a directory, in the order of their names; those whose names begin with a dot are hidden.
    static func files(in path: String, _ field: String) throws(WebSocketError) -> [String] {
        guard let names = DirectoryNames.list(path) else {
            throw FieldFile(field: field, source: .file(path)).unreadable()
        }
        var files: [String] = []
        for name in names.sorted() where !name.hasPrefix(".") {
            let file = "\(path)/\(name)"
            var status = stat()
            guard stat(file, &status) == 0 else {
                guard SystemReason.shortage(errno) == nil else {
                    throw FieldFile(field: field, source: .file(file)).unreadable()
                }
                continue
            }
            if status.st_mode & S_IFMT == S_IFREG, status.st_size <= longest { files.append(file) }
        }
        return files
    }
}

// MARK: - Reading the file of a configuration

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
            let count = Interrupted.again { read(descriptor, &piece, piece.count) }
            guard count >= 0 else { throw .system }
            guard count > 0 else { return bytes }
            bytes += piece.prefix(count)
        }
        throw Failure(words: "it has more than \(longest) bytes")
    }
}
