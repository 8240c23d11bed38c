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
    /// The system does not let this process listen there; the reason is in its own words.
    case cannotListen(host: String, port: Int, reason: String)
    /// The certificate's or the key's file cannot be opened; the reason is in the system's words.
    case unreadableFile(path: String, reason: String)
    /// The files can be read, but OpenSSL takes no certificate with its key from them.
    case unusableCertificate(certificateFile: String, privateKeyFile: String)
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
        case .resources(let reason): reason
        }
    }
}
