// Files/: files that settings name.
//
// Holds: a file or its content in memory, the reading of it, and what tells one state of a file from another.
// Used by: Configuration, TLS, OpenSSL.
// Uses: Errors; LWSServiceLoop.

// Where certificates and keys come from.

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
