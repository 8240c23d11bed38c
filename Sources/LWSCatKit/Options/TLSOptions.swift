// How `wss:` connections are secured: what TLS is like, whom to trust, and what to show.

import ArgumentParser
import LWSWebSocket

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

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

// MARK: - The files of TLS: whom to trust, and what to show

struct IdentityOptions: ParsableArguments {
    @Option(
        name: .customLong("cacert"),
        help: .init(
            "Whom to trust in place of the system's roots: a PEM file, a folder of them, or a PKCS#12 store (.p12).",
            valueName: "file"),
        completion: .file())
    var roots: String?

    @Option(
        name: .customLong("cacert-password"),
        help: .init("The password of a PKCS#12 store of --cacert, or @file with it.", valueName: "password"))
    var rootsPassword: Secret?

    @Option(
        name: .customLong("cert"),
        help: .init(
            "The certificate to show: a PEM file, or a PKCS#12 store (.p12) with its key.", valueName: "file"),
        completion: .file())
    var certificate: String?

    @Option(
        name: .customLong("key"),
        help: .init("The certificate's private key, a PEM file. (default: the file of --cert)", valueName: "file"),
        completion: .file())
    var key: String?

    @Option(
        name: .customLong("key-password"),
        help: .init("The password of the key or of the PKCS#12 store, or @file with it.", valueName: "password"))
    var keyPassword: Secret?

    @Option(
        name: .customLong("pin"),
        help: .init(
            "The Base64 of the SHA-256 of a public key that the server's chain has to have; may be repeated.",
            valueName: "pin"))
    var pins: [String] = []

    @Option(
        name: .customLong("crl"),
        help: .init("A PEM file with revocation lists, which have to cover the chain.", valueName: "file"),
        completion: .file())
    var revocationList: String?

    @Option(
        name: .customLong("ocsp"),
        help: .init("Asks for a stapled OCSP response: soft, or hard (it has to be good).", valueName: "mode"))
    var stapling: StaplingMode?

    func validate() throws {
        if key != nil, certificate == nil { throw ValidationError("--key goes with --cert") }
        if keyPassword != nil, certificate == nil { throw ValidationError("--key-password goes with --cert") }
        if rootsPassword != nil, roots.map(Self.isStore) != true {
            throw ValidationError("--cacert-password goes with a PKCS#12 store of --cacert")
        }
        if revocationList != nil, stapling != nil { throw ValidationError("--crl and --ocsp exclude each other") }
    }

    func apply(to configuration: inout ClientConfiguration) throws(Failure) {
        var settings = configuration.secureSocket ?? ClientSecureSocket()
        let before = settings
        if let roots { settings.cert = try trustRoots(roots) }
        if let certificate { settings.key = try clientKey(certificate) }
        if !pins.isEmpty {
            settings.pinnedPublicKeys = Set(
                try pins.map { text throws(Failure) in
                    guard let pin = PublicKeyPin(base64: text) else {
                        throw Failure(.usage, "--pin is the Base64 of 32 bytes, not \(text)")
                    }
                    return pin
                })
        }
        if let revocationList { settings.certValidation = .crl(.file(revocationList)) }
        if let stapling { settings.certValidation = .ocspStapling(stapling == .soft ? .soft : .hard) }
        if settings != before { configuration.secureSocket = settings }
    }

    private func trustRoots(_ path: String) throws(Failure) -> TrustRoots {
        if Self.isStore(path) {
            return .pkcs12(.file(path), password: try rootsPassword?.value(of: "--cacert-password") ?? "")
        }
        var isFolder = false
        return FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) && isFolder
            ? .directory(path) : .pem(.file(path))
    }

    private func clientKey(_ path: String) throws(Failure) -> ClientKey {
        let password = try keyPassword?.value(of: "--key-password")
        if Self.isStore(path) {
            guard key == nil else { throw Failure(.usage, "--key: the key is in the PKCS#12 store of --cert") }
            return .pkcs12(.file(path), password: password ?? "")
        }
        return .pem(certFile: .file(path), keyFile: .file(key ?? path), keyPassword: password)
    }

    private static func isStore(_ path: String) -> Bool {
        [".p12", ".pfx"].contains { path.lowercased().hasSuffix($0) }
    }
}

/// What happens where no good OCSP response comes.
enum StaplingMode: String, ExpressibleByArgument, CaseIterable {
    case soft, hard
}
