// How `wss:` connections are secured.

import ArgumentParser
import LWSWebSocket

struct TLSOptions: ParsableArguments {
    @Flag(
        name: [.customShort("k"), .customLong("insecure")],
        help: "Verifies nothing about the server's certificate. For development.")
    var isInsecure = false

    @Option(
        name: .customLong("server-name"),
        help: .init("The name to ask for (SNI) and to verify, in place of the URL's host.", valueName: "name"))
    var serverName: String?

    @Flag(name: .customLong("no-verify-host"), help: "Accepts a trusted certificate for any name.")
    var acceptsAnyName = false

    @Option(
        name: .customLong("tls-version"),
        help: .init("A version to allow, 1.0 to 1.3; may be repeated. (default: 1.2 and 1.3)", valueName: "version"))
    var versions: [TLSVersionChoice] = []

    @Option(
        name: .customLong("cipher"),
        help: .init(
            "A cipher suite to allow, by its IANA name or OpenSSL's; may be repeated.", valueName: "suite"))
    var ciphers: [String] = []

    @Flag(name: .customLong("no-session-sharing"), help: "Resumes no TLS session when it connects again.")
    var resumesNothing = false

    @Option(
        name: .customLong("session-timeout"),
        help: .init("How long a TLS session may be resumed. (default: two hours)", valueName: "seconds"))
    var sessionTimeout: TimeLimit?

    @Option(
        name: .customLong("tls-timeout"),
        help: .init("How long the TLS handshake may take, within --connect-timeout.", valueName: "seconds"))
    var handshakeTimeout: TimeLimit?

    @Option(
        name: .customLong("key-log"),
        help: .init(
            "Where to write the connection's keys, to decrypt recordings with; 'environment': where SSLKEYLOGFILE says.",
            valueName: "file"),
        completion: .file())
    var keyLog: String?

    func apply(to configuration: inout ClientConfiguration) throws(Failure) {
        var settings = configuration.secureSocket ?? ClientSecureSocket()
        let before = settings
        if isInsecure { settings.enable = false }
        if let serverName { settings.serverName = serverName }
        if acceptsAnyName { settings.verifyHostName = false }
        if !versions.isEmpty { settings.protocol = Set(versions.map(\.version)) }
        if !ciphers.isEmpty { settings.ciphers = ciphers }
        if resumesNothing { settings.shareSession = false }
        if let sessionTimeout { settings.sessionTimeout = sessionTimeout.duration }
        if let handshakeTimeout { settings.handshakeTimeout = handshakeTimeout.duration }
        if let keyLog { settings.keyLog = keyLog == "environment" ? .environment : .file(keyLog) }
        if settings != before { configuration.secureSocket = settings }
    }
}

/// A version of TLS as it is typed.
enum TLSVersionChoice: String, ExpressibleByArgument, CaseIterable {
    case tls10 = "1.0"
    case tls11 = "1.1"
    case tls12 = "1.2"
    case tls13 = "1.3"

    var version: TLSVersion {
        switch self {
        case .tls10: .tls10
        case .tls11: .tls11
        case .tls12: .tls12
        case .tls13: .tls13
        }
    }
}
