// Why an echo server could not be started.

/// Why an echo server could not be started.
public enum EchoServerError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The host is no numeric IPv4 or IPv6 address.
    case invalidHost(String)
    /// The port is not within 0 to 65535.
    case invalidPort(Int)
    /// A sub-protocol is empty, longer than 63 bytes, or no token of RFC 9110, or stands there twice.
    case invalidSubProtocol(String)
    /// Somebody listens on the port already.
    case portInUse(host: String, port: Int)
    /// The system does not let this process listen there, and the reason is in its own words; or libwebsockets was built without
    /// IPv6.
    case cannotListen(host: String, port: Int, reason: String)
    /// A file of the TLS configuration cannot be read; the reason is in the system's words.
    case unreadableFile(path: String, reason: String)
    /// The files can be read, but OpenSSL takes no certificate with its key from them.
    case unusableCertificate(certificateFile: String, privateKeyFile: String)
    /// The private key is encrypted, and there is no password, or not the right one.
    case unusablePrivateKey(privateKeyFile: String, reason: String)
    /// The file can be read, but OpenSSL finds no certificate of an authority in it.
    case unusableClientAuthority(path: String)
    /// The server would accept no version of TLS.
    case noTLSVersion
    /// OpenSSL knows none of these ciphers of TLS 1.2.
    case unknownCiphers(String)
    /// OpenSSL knows none of these cipher suites of TLS 1.3.
    case unknownCipherSuites(String)
    /// No thread, memory or descriptors left for the server; the reason says which.
    case resources(reason: String)

    /// The error in words.
    public var description: String {
        switch self {
        case .invalidHost(let host): "'\(host)' is not a numeric IPv4 or IPv6 address"
        case .invalidPort(let port): "\(port) is not a TCP port (0 to 65535)"
        case .invalidSubProtocol(let name):
            "'\(name)' is not a sub-protocol's name (1 to 63 letters, digits and signs, each name once)"
        case .portInUse(let host, let port): "port \(port) of \(host) is in use"
        case .cannotListen(let host, let port, let reason): "cannot listen on port \(port) of \(host): \(reason)"
        case .unreadableFile(let path, let reason): "cannot read '\(path)': \(reason)"
        case .unusableCertificate(let certificate, let key):
            "no usable certificate in '\(certificate)' with its private key in '\(key)'"
        case .unusablePrivateKey(let key, let reason): "cannot use the private key in '\(key)': \(reason)"
        case .unusableClientAuthority(let path): "no certificate of an authority for clients in '\(path)'"
        case .noTLSVersion: "no version of TLS is to be accepted"
        case .unknownCiphers(let list): "'\(list)' names no cipher of TLS 1.2 that OpenSSL knows"
        case .unknownCipherSuites(let list): "'\(list)' names no cipher suite of TLS 1.3 that OpenSSL knows"
        case .resources(let reason): reason
        }
    }
}
