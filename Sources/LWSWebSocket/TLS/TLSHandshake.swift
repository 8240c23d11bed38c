// The TLS of one attempt, from its first message to its end.

internal import COpenSSL
internal import LWSServiceLoop

/// Records what OpenSSL tells of a connection, which lws does not pass on, and decides for it. Lives on the loop;
/// OpenSSL calls it from inside `SSL_connect`, `SSL_read` and the like, which lws calls there.
final class TLSHandshake {
    let context: TLSContext
    let server: TLSServer
    /// Set while there is a connection of OpenSSL's, which holds this object.
    private(set) var ssl: OpaquePointer?
    private(set) var hasBegun = false

    private(set) var isComplete = false
    /// The server has chosen a version and a suite.
    private(set) var serverHasAnswered = false
    /// The server has asked for a certificate.
    private(set) var wasAskedForCertificate = false
    /// There was none to show.
    var lacksCertificate = false {
        didSet { wasAskedForCertificate = true }
    }
    /// The last alert that came, but for the one that ends a connection in good order (RFC 8446, section 6).
    private(set) var alert: UInt8?
    /// TLS is over: there was an alert for it, from either side.
    private(set) var hasEnded = false
    /// The server has ended TLS in good order.
    private var wasClosed = false
    /// The verdict on what the server has shown.
    var refusal: TLSFailure?
    private var isInUse = false
    private let began = ContinuousClock.now
    /// What the connection has tried to resume.
    private var offered: TLSSession?
    private var sessionCount = 0
    /// Sessions that came before the connection was in use.
    private var sessions: [TLSSession] = []
    private var error: (reason: Int32, words: String)?
    /// A step was not taken because the system had no memory for it. OpenSSL has many words for that.
    private var lacksMemory = false
    /// What was negotiated.
    private(set) var info: TLSInfo?

    init(_ context: TLSContext, _ server: TLSServer) {
        self.context = context
        self.server = server
    }

    /// OpenSSL is about to write the first message. lws has set what it takes for the server's name: its own words for
    /// the Host field, which need not be the host's.
    func begin(_ ssl: OpaquePointer) {
        self.ssl = ssl
        hasBegun = true
        guard let sending = Self.sending.value, cossl_send_by(ssl, sending.method) else {
            refusal = noMemory
            return
        }
        SSL_set_msg_callback(ssl, messageCallback)
        let settings = context.settings
        // An address is no name (RFC 6066, section 3).
        let isNamed = cossl_set_server_name(ssl, server.isAddress ? nil : server.name)
        var protocols: [UInt8] = [UInt8(TLSInfo.applicationProtocol.utf8.count)]
        protocols += TLSInfo.applicationProtocol.utf8
        guard isNamed, SSL_set_alpn_protos(ssl, protocols, UInt32(protocols.count)) == 0 else {
            // Without the one the server would show another certificate, without the other lws's own offers would stand.
            refusal = noMemory
            return
        }
        if settings.certValidation?.method == .ocspStapling { cossl_ask_for_status(ssl) }
        if settings.shareSession, let session = TLSSessionCache.shared.take(sessionKey, settings.sessionTimeout),
            session.offer(on: ssl)
        {
            offered = session
        }
    }

    var noMemory: TLSFailure {
        TLSFailure(words: "there is no memory for the connection to \(server.host)", isTransient: true)
    }

    /// How all connections write. Never freed.
    private static let sending = MadeOnce { cossl_sending().map(Sending.init) }

    private struct Sending: @unchecked Sendable {
        // Safe to share: it is not changed once it is made.
        let method: OpaquePointer
    }

    /// OpenSSL frees its connection.
    func released() { ssl = nil }

    /// The peer has reset the connection, and what was written since was dropped.
    var isBroken: Bool { ssl.map { TLSRecords($0).isBroken } ?? false }

    /// OpenSSL could not write something just now.
    var waitsToWrite: Bool { ssl.map { SSL_want($0) == SSL_WRITING } ?? false }

    // MARK: - What OpenSSL reports

    func progressed(_ ssl: OpaquePointer) {
        guard !isComplete else { return }
        switch SSL_get_state(ssl) {
        case TLS_ST_CR_SRVR_HELLO, TLS_ST_CR_ENCRYPTED_EXTENSIONS:
            serverHasAnswered = true
            // A resumed handshake verifies nothing. This one fails when it writes its last message.
            if SSL_session_reused(ssl) == 1, !checkApplicationProtocol() {
                shutdown(SSL_get_fd(ssl), cossl_both_ways)
            }
        case TLS_ST_CR_CERT_REQ: wasAskedForCertificate = true
        default: break
        }
    }

    /// A step could not be taken: for want of data, or because of an error.
    func stopped() {
        noteMemory()
        guard error == nil, let first = OpenSSLError.first else { return }
        error = (first.reason, first.words)
    }

    /// To be called before OpenSSL writes as well: an alert that says why it stops has it forget `errno`
    /// (ssl/record/rec_layer_s3.c: ssl3_write_pending).
    func noteMemory() {
        if HeldLoop.lacksMemory || OpenSSLError.isShortage { lacksMemory = true }
    }

    func alert(_ value: Int32, isIncoming: Bool, _ ssl: OpaquePointer) {
        let (level, description) = (value >> 8, UInt8(truncatingIfNeeded: value))
        let isClosing = description == SSL_AD_CLOSE_NOTIFY
        // From TLS 1.3 on all alerts but two are fatal, whatever their level says (RFC 8446, section 6).
        let isModern = SSL_version(ssl) >= TLSVersion.tls13.rawValue && description != SSL_AD_USER_CANCELLED
        guard isClosing || isModern || level == SSL3_AL_FATAL else { return }
        // What this side says at the end of a connection that is in order does not end reading.
        if isIncoming || !isClosing { hasEnded = true }
        if isIncoming {
            if isClosing { wasClosed = true } else { alert = description }
        }
    }

    func completed(_ ssl: OpaquePointer) {
        guard !isComplete else { return }
        isComplete = true
        SSL_set_msg_callback(ssl, nil)
        info = TLSInfo(ssl)
    }

    func received(session pointer: OpaquePointer) {
        // A server may send as many as it likes.
        guard context.settings.shareSession, refusal == nil, sessionCount < TLSSessionCache.perServer,
            let session = TLSSession(pointer, verified: isResumed ? offered?.verified ?? began : began)
        else { return }
        sessionCount += 1
        if isInUse { TLSSessionCache.shared.put(session, sessionKey) } else { sessions.append(session) }
    }

    /// The server has agreed to WebSocket over this connection. One that it refuses is not worth resuming: a server that
    /// does so for want of a client certificate would not ask for one again.
    func connectionOpened() {
        isInUse = true
        for session in sessions { TLSSessionCache.shared.put(session, sessionKey) }
        sessions = []
    }

    private var isResumed: Bool { ssl.map { SSL_session_reused($0) == 1 } ?? false }

    private var sessionKey: TLSSessionCache.Key { .init(settings: context.key.digest, server: server) }

    // MARK: - In words

    /// Why TLS failed, or made the server end the connection; `nil` where it is not to blame.
    /// - Parameter detail: what lws says.
    func failure(_ detail: String) -> TLSFailure? {
        guard var failure = reason(detail) else { return nil }
        if offered != nil, !isComplete, refusal == nil {
            // Without the session it may go better.
            TLSSessionCache.shared.forget(sessionKey)
            failure.isTransient = true
        }
        if lacksMemory, refusal == nil, alert == nil { failure = noMemory }
        return failure
    }

    private func reason(_ detail: String) -> TLSFailure? {
        if let refusal { return refusal }
        if let alert { return failure(alert: alert) }
        // A server that ends TCP with something unread resets the connection, and its alert is lost. In TLS 1.3 it judges
        // the client's certificate when the client has done its part, up to TLS 1.2 before that.
        let mayBeJudged = !isComplete || (info?.version == .tls13 && !wasClosed)
        let hasReason = error != nil && error?.reason != cossl_unexpected_end
        if wasAskedForCertificate, mayBeJudged, !hasReason { return certificateRefused(detail) }
        guard !isComplete else { return nil }
        // OpenSSL has no words for a good end that calls itself fatal.
        if let error, !wasClosed { return failure(error.reason, error.words) }
        return ended(detail)
    }

    private func ended(_ detail: String) -> TLSFailure {
        // Some servers send no alert, such as Python's asyncio.
        let hint = serverHasAnswered ? "" : "; there may be no shared protocol or no shared cipher"
        return TLSFailure(
            words: "\(server.host) ended the connection during the TLS handshake\(hint)", detail: detail,
            isTransient: true)
    }

    private func certificateRefused(_ detail: String) -> TLSFailure {
        guard !lacksCertificate else {
            var failure = certificateRequired(detail)
            // As far as one can tell.
            failure.isTransient = isComplete
            return failure
        }
        return TLSFailure(
            words:
                "\(server.host) asked for a client certificate and ended the connection; it may not accept the one "
                + "in secureSocket.key", detail: detail, isTransient: true)
    }

    /// The time for the handshake is up.
    func timedOut(_ limit: Duration) -> TLSFailure {
        TLSFailure(
            words: "The TLS handshake with \(server.host) was not complete within \(limit); raise "
                + "secureSocket.handshakeTimeout or check the server", isTransient: true)
    }

    private func failure(_ reason: Int32, _ words: String) -> TLSFailure {
        switch reason {
        case SSL_R_WRONG_VERSION_NUMBER, SSL_R_HTTP_REQUEST, SSL_R_HTTPS_PROXY_REQUEST, SSL_R_PACKET_LENGTH_TOO_LONG,
            SSL_R_BAD_RECORD_TYPE:
            TLSFailure(
                words: "\(server.host) does not speak TLS on port \(server.port); is it a server for ws: URLs?",
                detail: words)
        case SSL_R_UNSUPPORTED_PROTOCOL, SSL_R_VERSION_TOO_LOW, SSL_R_VERSION_TOO_HIGH, SSL_R_WRONG_SSL_VERSION:
            noSharedProtocol(words)
        case SSL_R_WRONG_CIPHER_RETURNED, SSL_R_UNKNOWN_CIPHER_RETURNED: noSharedCipher(words)
        case cossl_unexpected_end: ended(words)
        default: TLSFailure(words: "The TLS handshake with \(server.host) failed: \(words)", detail: words)
        }
    }

    private func failure(alert: UInt8) -> TLSFailure {
        let name = String(cString: SSL_alert_desc_string_long(Int32(alert)))
        let words = name == "unknown" ? "unknown (\(alert))" : name
        switch Int32(alert) {
        case SSL_AD_CERTIFICATE_REQUIRED: return certificateRequired(words)
        // What servers up to TLS 1.2 say instead.
        case SSL_AD_HANDSHAKE_FAILURE where lacksCertificate: return certificateRequired(words)
        case SSL_AD_HANDSHAKE_FAILURE where !serverHasAnswered, SSL_AD_INSUFFICIENT_SECURITY:
            return noSharedCipher(words)
        case SSL_AD_PROTOCOL_VERSION: return noSharedProtocol(words)
        case SSL_AD_UNRECOGNIZED_NAME:
            return TLSFailure(words: "\(server.host) has no site with the name \(server.name)", detail: words)
        case SSL_AD_NO_APPLICATION_PROTOCOL:
            return TLSFailure(
                words: "\(server.host) does not take \(TLSInfo.applicationProtocol) over TLS", detail: words)
        case SSL_AD_BAD_CERTIFICATE...SSL_AD_CERTIFICATE_UNKNOWN, SSL_AD_UNKNOWN_CA, SSL_AD_ACCESS_DENIED:
            let what = context.settings.key == nil ? "any certificate" : "the client certificate"
            return TLSFailure(words: "\(server.host) does not accept \(what): \(words)", detail: words)
        default:
            return TLSFailure(words: "\(server.host) ended TLS with an alert: \(words)", detail: words)
        }
    }

    func certificateRequired(_ detail: String) -> TLSFailure {
        let hint =
            context.settings.key == nil
            ? "give one in secureSocket.key" : "the one in secureSocket.key is not among those that it accepts"
        return TLSFailure(
            words: "A client certificate is required: \(server.host) asked for one; \(hint)", detail: detail)
    }

    private func noSharedProtocol(_ detail: String) -> TLSFailure {
        let versions = (try? CipherSelection(context.settings).versions) ?? context.settings.protocol
        let names = versions.sorted().map(\.description).joined(separator: ", ")
        return TLSFailure(
            words: "There is no shared protocol with \(server.host): it does not accept \(names)", detail: detail)
    }

    private func noSharedCipher(_ detail: String) -> TLSFailure {
        TLSFailure(
            words:
                "There is no shared cipher with \(server.host): it accepts none of the cipher suites, key exchanges "
                + "and signatures that were offered", detail: detail)
    }
}
