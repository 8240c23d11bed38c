// How the client proves to a server who it is.

/// A certificate with its private key (RSA, ECDSA, Ed25519), which is shown to servers that ask for one.
public struct ClientKey: Sendable, Hashable {
    enum Choice: Sendable, Hashable {
        case pem(certificate: FileSource, key: FileSource, password: String?)
        case pkcs12(FileSource, password: String)
    }

    let choice: Choice

    /// A PEM file with the certificate, followed by those between it and the server's trusted root, and a PEM file
    /// with the private key. An encrypted key (PKCS#8, or the traditional form with a `DEK-Info` line) needs its password.
    public static func pem(certFile: FileSource, keyFile: FileSource, keyPassword: String? = nil) -> ClientKey {
        ClientKey(choice: .pem(certificate: certFile, key: keyFile, password: keyPassword))
    }

    /// A PKCS#12 key store (RFC 7292) with the certificate, its key and its chain.
    public static func pkcs12(_ source: FileSource, password: String) -> ClientKey {
        ClientKey(choice: .pkcs12(source, password: password))
    }

    func validate() throws(WebSocketError) {
        switch choice {
        case .pem(let certificate, let key, _):
            try certificate.validate("secureSocket.key.certFile")
            try key.validate("secureSocket.key.keyFile")
        case .pkcs12(let source, _): try source.validate("secureSocket.key")
        }
    }
}

extension ClientKey: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// Without the key and its password.
    public var description: String {
        switch choice {
        case .pem(let certificate, let key, _): "\(certificate), \(key)"
        case .pkcs12(let source, _): "\(source)"
        }
    }

    /// The same as `description`.
    public var debugDescription: String { description }

    /// Shows nothing of what is inside, for it is secret.
    public var customMirror: Mirror { Mirror(self, children: [:]) }
}
