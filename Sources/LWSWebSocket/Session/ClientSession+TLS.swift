// The TLS of an attempt, as far as it takes part.

internal import CLibWebSockets
internal import HTTPTypes
internal import LWSServiceLoop

extension ClientSession {
    /// TCP is connected: to the server, or to the proxy on the way there.
    func connected(_ wsi: OpaquePointer, _ held: borrowing HeldLoop) {
        phase.stopWatching(held)
        stopLimit(held)
        expectTLS(wsi)
        if let proxy = route.proxy { askProxy(wsi, proxy, held) } else { secure(held) }
    }

    /// Has the context know whose handshake begins next on the attempt's socket.
    private func expectTLS(_ wsi: OpaquePointer) {
        guard let tlsContext else { return }
        let handshake = TLSHandshake(tlsContext, TLSServer(url, tlsContext.settings))
        tls = handshake
        tlsContext.expect(handshake, on: lws_get_socket_fd(wsi))
    }

    /// The TLS handshake begins, where there is one, and so does its time.
    func secure(_ held: borrowing HeldLoop) {
        guard enter(.securing) else { return }
        role.reached(tlsContext == nil ? .answer : .securing)
        guard let time = tlsContext?.settings.handshakeTimeout, time > .zero else { return }
        allow(time, held) { [unowned self] held in securingTimedOut(time, held) }
    }

    private func securingTimedOut(_ time: Duration, _ held: borrowing HeldLoop) {
        guard let tls, !tls.isComplete, failure == nil else { return }
        failure = error(.ssl, tls.timedOut(time))
        abort(held)
    }

    /// The connection is open, or over: the context need not know any more whose TLS is on the socket.
    func forgetSecuring() {
        if let tls { tlsContext?.forget(tls) }
    }

    /// Returns whether TLS is to blame for the end of the attempt, which then has its error.
    func securingFailed(_ detail: String) -> Bool {
        guard let tls, tls.hasBegun else { return false }
        if let response, response.status.code != 101 {
            guard refusesForWantOfCertificate(response) else { return false }
            failure = error(.ssl, tls.certificateRequired(detail))
            return true
        }
        guard response == nil, let reason = tls.failure(detail) else { return false }
        // With another address it would be the same.
        if !reason.isTransient { addresses = [] }
        failure = error(.ssl, reason)
        return true
    }

    /// nginx takes clients without a certificate, or with one that it does not trust, and tells them with HTTP. The body
    /// says which, but may come too late to be seen.
    private func refusesForWantOfCertificate(_ response: HTTPResponse) -> Bool {
        guard let tls, tls.wasAskedForCertificate, response.status.code == 400 else { return false }
        guard let body = responseBody, !body.isEmpty else { return true }
        return String(decoding: body, as: UTF8.self).contains("SSL certificate")
    }

    private func error(_ code: WebSocketError.Code, _ failure: TLSFailure) -> WebSocketError {
        error(code, failure.words, detail: failure.detail, isTransient: failure.isTransient)
    }
}
