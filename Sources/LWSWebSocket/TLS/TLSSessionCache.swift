// Sessions that later connections may resume.

internal import COpenSSL
internal import LWSServiceLoop
internal import OrderedCollections

/// A session in OpenSSL's form.
final class TLSSession: @unchecked Sendable {
    // Safe to share: an SSL_SESSION is reference-counted with atomic operations, and this one, a copy, is not changed.
    private let pointer: OpaquePointer
    /// When the server's certificate was verified, which a resumed session does not do again.
    let verified: ContinuousClock.Instant
    private let received = ContinuousClock.now

    /// A copy of a connection's session. OpenSSL marks the connection's own as not to be resumed where that ends without
    /// a `close_notify` of this side (ssl_lib.c: SSL_free), which is how lws ends it when the server has ended TCP; and
    /// lws 4.5 changes its time.
    init?(_ session: OpaquePointer, verified: ContinuousClock.Instant) {
        guard let copy = SSL_SESSION_dup(session) else { return nil }
        pointer = copy
        self.verified = verified
    }

    deinit { SSL_SESSION_free(pointer) }

    /// Has a connection that is about to begin try to resume a copy of it.
    func offer(on ssl: OpaquePointer) -> Bool {
        guard let copy = SSL_SESSION_dup(pointer) else { return false }
        defer { SSL_SESSION_free(copy) }
        return SSL_set_session(ssl, copy) == 1
    }

    /// How long after the verification a session may be resumed where nothing is said.
    static let defaultLimit = Duration.seconds(7200)

    /// Whether it may still be resumed: as the server, the settings and the certificate's validity allow.
    func isFresh(_ limit: Duration?) -> Bool {
        guard SSL_SESSION_is_resumable(pointer) == 1 else { return false }
        if let certificate = SSL_SESSION_get0_peer(pointer),
            X509_cmp_current_time(X509_get0_notAfter(certificate)) <= 0
        {
            return false
        }
        let hint = SSL_SESSION_get_ticket_lifetime_hint(pointer)
        if hint > 0, received.duration(to: .now) >= .seconds(hint) { return false }
        let limit = limit.map { $0 < .zero ? Self.defaultLimit : $0 } ?? Self.defaultLimit
        return verified.duration(to: .now) < limit
    }

    /// One of TLS 1.3 is used once, so that nobody who watches can tell that two connections come from one client
    /// (RFC 8446, appendix C.4).
    var isForOneUse: Bool { SSL_SESSION_get_protocol_version(pointer) >= Int32(TLSVersion.tls13.rawValue) }
}

/// The sessions of the process. A session outlives the clients that have made it.
final class TLSSessionCache: Sendable {
    static let shared = TLSSessionCache()

    /// Sessions that are kept for one server: it may send several, for connections at the same time.
    static let perServer = 4
    /// Servers whose sessions are kept.
    static let servers = 256

    struct Key: Sendable, Hashable {
        /// Of the settings and files: ``TLSContextKey/digest``.
        let settings: String
        let server: TLSServer
    }

    /// The servers in the order in which they last sent a session.
    private let sessions = Locked<OrderedDictionary<Key, [TLSSession]>>([:])

    func put(_ session: TLSSession, _ key: Key) {
        sessions.withLock { sessions in
            var kept = sessions.removeValue(forKey: key) ?? []
            kept.append(session)
            if kept.count > (session.isForOneUse ? Self.perServer : 1) { kept.removeFirst() }
            sessions[key] = kept
            if sessions.count > Self.servers { sessions.removeFirst() }
        }
    }

    /// A session was of no use.
    func forget(_ key: Key) { sessions.withLock { $0[key] = nil } }

    /// The newest session for a server that may still be resumed.
    func take(_ key: Key, _ limit: Duration?) -> TLSSession? {
        sessions.withLock { sessions in
            guard var kept = sessions[key] else { return nil }
            kept.removeAll { !$0.isFresh(limit) }
            let session = kept.last
            if session?.isForOneUse == true { kept.removeLast() }
            sessions[key] = kept.isEmpty ? nil : kept
            return session
        }
    }

    // MARK: - For tests

    /// The sessions for a server that may still be resumed.
    func count(_ key: Key, _ limit: Duration?) -> Int {
        sessions.withLock { $0[key]?.count { $0.isFresh(limit) } ?? 0 }
    }

    var serverCount: Int { sessions.withLock { $0.count } }
}
