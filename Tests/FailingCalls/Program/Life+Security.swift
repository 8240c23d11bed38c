// How those who live by TLS are set up, and who is refused.

import LWSServiceLoop
import LWSWebSocket

extension Life {
    /// Why the server is refused, whatever fails; `nil` where it is not.
    var refusal: String? {
        switch self {
        case .untrusted, .unknown: "unknown root"
        case .misnamed, .misaddressed: "wrong host"
        case .revoked, .softlyRevoked, .stapledRevoked: "has been revoked"
        case .unpinned: "is not one of those pinned"
        default: nil
        }
    }

    func secured(_ peers: Peers) -> ClientConfiguration {
        var configuration = Self.patient
        var settings = ClientSecureSocket()
        settings.shareSession = self == .resumed
        // The files are read anew for each client where none has the same settings, which takes many times the memory.
        if ![.resumed, .misnamed, .misaddressed, .unpinned, .pingedSecurely].contains(self) {
            settings.handshakeTimeout = Self.limit + .milliseconds(Self.next())
        }
        settings.cert = .pem(.file(peers.root))
        settings.key = .pem(certFile: .file(peers.certificate), keyFile: .file(peers.key))
        settings.certValidation = .crl(.file(peers.revocations))
        switch self {
        case .secure: settings.keyLog = .file(peers.keyLog)
        case .untrusted:
            settings.cert = .pem(.file(peers.otherRoot))
            settings.certValidation = nil
        case .unknown:
            settings.cert = nil
            settings.certValidation = nil
        case .misnamed: settings.serverName = "other.example"
        case .misaddressed: settings.serverName = "127.0.0.9"
        case .softlyRevoked: settings.certValidation = .crl(.file(peers.revocations), .soft)
        case .unpinned:
            settings.pinnedPublicKeys = Self.otherPins
            settings.ciphers = ["TLS_AES_128_GCM_SHA256", "ECDHE-RSA-AES128-GCM-SHA256"]
        case .stapled, .stapledRevoked: everything(settings: &settings, peers)
        default: break
        }
        configuration.secureSocket = settings
        return configuration
    }

    private func everything(settings: inout ClientSecureSocket, _ peers: Peers) {
        settings.protocol = [.tls12]
        settings.ciphers = ["ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-RSA-AES128-GCM-SHA256"]
        settings.cert = .directory(peers.rootFolder)
        settings.key = .pkcs12(.file(peers.keyStore), password: "secret")
        settings.certValidation = .ocspStapling(self == .stapled ? .hard : .soft)
        if self == .stapled { settings.pinnedPublicKeys = PublicKeyPin(base64: peers.pin).map { [$0] } ?? [] }
    }

    /// Of nobody's key.
    private static let otherPins = Set(
        [PublicKeyPin(base64: String(repeating: "A", count: 43) + "=")].compactMap { $0 })

    private static let numbers = Locked(0)

    private static func next() -> Int {
        numbers.withLock { number in
            number += 1
            return number
        }
    }
}
