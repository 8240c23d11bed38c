// Whom the client trusts to vouch for servers.

/// The certificates that a server's chain has to lead to. Each counts as a root, also one that is not self-signed.
public struct TrustRoots: Sendable, Hashable {
    enum Choice: Sendable, Hashable {
        case pem(FileSource)
        case directory(String)
        case pkcs12(FileSource, password: String)
    }

    let choice: Choice

    /// All certificates of a PEM file.
    public static func pem(_ source: FileSource) -> TrustRoots { TrustRoots(choice: .pem(source)) }

    /// All certificates of all PEM files in a directory. Files without a certificate are passed over.
    public static func directory(_ path: String) -> TrustRoots { TrustRoots(choice: .directory(path)) }

    /// All certificates of a PKCS#12 trust store (RFC 7292).
    public static func pkcs12(_ source: FileSource, password: String) -> TrustRoots {
        TrustRoots(choice: .pkcs12(source, password: password))
    }

    func validate() throws(WebSocketError) {
        switch choice {
        case .pem(let source), .pkcs12(let source, _): try source.validate("secureSocket.cert")
        case .directory(let path): try FileSource.file(path).validate("secureSocket.cert")
        }
    }
}

extension TrustRoots: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// Without the password.
    public var description: String {
        switch choice {
        case .pem(let source), .pkcs12(let source, _): "\(source)"
        case .directory(let path): path
        }
    }

    /// The same as `description`.
    public var debugDescription: String { description }

    /// Shows nothing of what is inside, for a password may be.
    public var customMirror: Mirror { Mirror(self, children: [:]) }
}
