// Sessions that later connections may resume.

internal import COpenSSL
internal import LWSServiceLoop

#if canImport(FoundationEssentials)
    internal import FoundationEssentials
#else
    internal import Foundation
#endif

/// A session in OpenSSL's form.
final class TLSSession: @unchecked Sendable {
    // Safe to share: an SSL_SESSION is reference-counted with atomic operations; OpenSSL copies one that it has to change.
    let pointer: OpaquePointer

    /// A copy of a connection's session. OpenSSL marks the connection's own as not to be resumed where that ends without
    /// a `close_notify` of this side (ssl_lib.c: SSL_free), which is how lws ends it when the server has ended TCP.
    init?(_ session: OpaquePointer) {
        guard let copy = SSL_SESSION_dup(session) else { return nil }
        pointer = copy
    }

    deinit { SSL_SESSION_free(pointer) }

    /// Whether it may still be resumed.
    func isFresh(_ limit: Duration?) -> Bool {
        guard SSL_SESSION_is_resumable(pointer) == 1 else { return false }
        let age = Int(Date.now.timeIntervalSince1970) - SSL_SESSION_get_time(pointer)
        let hint = SSL_SESSION_get_ticket_lifetime_hint(pointer)
        var lifetime = Duration.seconds(SSL_SESSION_get_timeout(pointer))
        if hint > 0 { lifetime = min(lifetime, .seconds(hint)) }
        if let limit, limit >= .zero { lifetime = min(lifetime, limit) }
        return age >= 0 && .seconds(age) < lifetime
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
    private static let servers = 256

    struct Key: Sendable, Hashable {
        let context: TLSContextKey
        let server: TLSServer
    }

    private struct State {
        var sessions: [Key: [TLSSession]] = [:]
        /// The servers in the order in which they last sent a session.
        var order: [Key] = []

        mutating func forget(_ key: Key) {
            sessions[key] = nil
            order.removeAll { $0 == key }
        }
    }

    private let state = Locked(State())

    func put(_ session: TLSSession, _ key: Key) {
        state.withLock { state in
            var kept = state.sessions[key, default: []]
            kept.append(session)
            if kept.count > (session.isForOneUse ? Self.perServer : 1) { kept.removeFirst() }
            state.order.removeAll { $0 == key }
            state.order.append(key)
            state.sessions[key] = kept
            if state.order.count > Self.servers, let oldest = state.order.first { state.forget(oldest) }
        }
    }

    /// The newest session for a server that may still be resumed.
    func take(_ key: Key, _ limit: Duration?) -> TLSSession? {
        state.withLock { state in
            guard var kept = state.sessions[key] else { return nil }
            kept.removeAll { !$0.isFresh(limit) }
            guard let session = kept.last else {
                state.forget(key)
                return nil
            }
            if session.isForOneUse { kept.removeLast() }
            if kept.isEmpty { state.forget(key) } else { state.sessions[key] = kept }
            return session
        }
    }
}
