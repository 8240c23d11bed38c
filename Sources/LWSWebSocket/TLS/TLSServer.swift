// Whom a connection over TLS is to, and why it could not be made.

/// Who the server has to be.
struct TLSServer: Sendable, Hashable {
    /// What errors name.
    let host: String
    let port: Int
    /// What is asked for and verified: a name, or an address without its zone.
    let name: String

    init(_ url: WebSocketURL, _ settings: ClientSecureSocket) {
        host = url.host
        port = url.port
        let name = (settings.serverName ?? url.host).prefix { $0 != "%" }.lowercased()
        // The dot of a name that is meant to be complete is no part of it here (RFC 6066, section 3).
        self.name = name.hasSuffix(".") ? String(name.dropLast()) : name
    }

    var isAddress: Bool { NumericAddress(name) != nil }
}

/// Why TLS failed.
struct TLSFailure {
    let words: String
    var detail: String?
    /// Whether it may go better next time.
    var isTransient = false
}
