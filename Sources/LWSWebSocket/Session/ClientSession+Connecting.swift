// From a list of addresses to a server that is asked.

internal import CLibWebSockets
internal import HTTPTypes
internal import LWSServiceLoop

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

extension ClientSession {
    /// Begins an attempt at the next address that lws takes, or reports that there is none left.
    func connectToNext(_ held: borrowing HeldLoop) {
        if vhost == nil { vhost = held.resident(ClientVhostPool.self)?.acquire(vhostKey, held) }
        guard let vhost else {
            failure = error(.connection, "libwebsockets could not set up its client side")
            finish(held)
            return
        }
        guard held.resident(ArrivalWatch.self) != nil else {
            failure = unwatched()
            finish(held)
            return
        }
        while !phase.isGivenUp, !addresses.isEmpty {
            let address = addresses.removeFirst()
            if let proxy = route.proxy, !vhost.setProxy(at: address, port: proxy.port, held) {
                passOver(address, route.unusableProxy(at: address))
                continue
            }
            guard let source = chooseSource(toward: address) else { continue }
            self.address = address
            failure = nil
            role.reached(.connecting(address))
            if let handle = begin(address, from: source, vhost.vhost, held) {
                wsi = handle
                // lws may try its look-up again later (connect3.c: lws_client_dns_retry_timeout), of an address.
                guard lws_get_socket_fd(handle) >= 0 else { return endAttempt(unreachable(), held) }
                socket = held.watch(handle)
                guard socket != nil || !held.watchesSockets else { return cannotWatch(held) }
                limitAttempt(held)
                watchReaching(handle, held)
                // It may have been asked already.
                held.passEnded()
                return
            }
        }
        finish(held)
    }

    /// What the address has to be reached from: empty where that is left to the system. `nil` where it cannot be
    /// reached, which matters only as long as no other address says anything better.
    private func chooseSource(toward address: ResolvedAddress) -> String? {
        guard let wanted = route.localAddress else { return "" }
        switch SourceAddress.choose(wanted, toward: address) {
        case .address(let numeric): return numeric
        case .failure(let reason):
            passOver(address, error(.connection, "localAddress: \(reason)"))
            return nil
        }
    }

    /// What a later one, or the one before, has failed of says more.
    private func passOver(_ address: ResolvedAddress, _ why: WebSocketError) {
        role.cannotUse(address, why)
        failure = failure ?? why
    }

    /// Where others are left to be tried.
    private func logFailure() {
        if let address, let failure, !addresses.isEmpty { role.cannotUse(address, failure) }
    }

    private func begin(
        _ address: ResolvedAddress, from source: String, _ vhost: OpaquePointer, _ held: borrowing HeldLoop
    ) -> OpaquePointer? {
        let retained = Unmanaged.passRetained(self)
        enter(.connecting(nil))
        errno = 0
        // Nobody gives the connection up inside this call: that is done from timers, finishers and callers, who hold the loop.
        let handle = connect(to: address, from: source, vhost, retained.toOpaque(), held)
        if handle != nil, !phase.isIdle { return handle }
        failure = failure ?? unreachable(errno)
        logFailure()
        // lws failed on the spot. Whether it has called back by then depends on how far it came
        // (`lws_client_connect_via_info`); it has forgotten the object either way.
        attemptEnded(held)
        retained.release()
        return nil
    }

    private func connect(
        to address: ResolvedAddress, from source: String, _ vhost: OpaquePointer, _ user: UnsafeMutableRawPointer,
        _ held: borrowing HeldLoop
    ) -> OpaquePointer? {
        var info = lws_client_connect_info()
        info.context = held.context
        info.vhost = vhost
        info.port = Int32(url.port)
        info.ietf_version_or_minus_one = -1
        info.retry_and_idle_policy = clws_no_validity_checks()
        // A redirect would be followed with the Authorization and Cookie fields in it, to whatever host it names.
        info.ssl_connection = Int32(LCCSCF_HTTP_NO_FOLLOW_REDIRECT.rawValue)
        if tlsContext != nil {
            // Whom the certificate is for is verified by `TLSHandshake`: lws would look at the Host field.
            info.ssl_connection |= Int32((LCCSCF_USE_SSL.rawValue | LCCSCF_SKIP_SERVER_CERT_HOSTNAME_CHECK.rawValue))
        }
        info.userdata = user
        // lws copies the strings (connect.c, "PHASE 6: stash"). The address is numeric, so the look-up that lws
        // does of it on this thread asks nobody. With a proxy this is what the proxy is asked for, and lws looks up
        // the address that the vhost has been given, which is as numeric.
        let place = route.proxy == nil ? address.numeric : ProxyServer.target(url)
        return place.withCString { address in
            source.withCString { source in
                info.address = address
                info.iface = source
                return role.request.connect(with: &info)
            }
        }
    }

    /// lws has ended the attempt or the connection and forgotten this object.
    func attemptEnded(_ held: borrowing HeldLoop) {
        guard !phase.isIdle else { return }
        phase.stopWatching(held)
        socket?.forget(held)
        socket = nil
        stopLimit(held)
        forgetSecuring()
        // Inside the connect call its caller goes on.
        guard wsi != nil else {
            enter(.idle)
            return
        }
        wsi = nil
        Unmanaged.passUnretained(self).release()
        guard phase.mayTryNext, !addresses.isEmpty, let loop = lease?.loop else {
            finish(held)
            return
        }
        logFailure()
        enter(.idle)
        // Not from inside a callback of the connection that lws is destroying.
        let next = LoopBound(self, held)
        if !loop.perform({ next.get($0).connectToNext($0) }) { finish(held) }
    }

    // MARK: - The TLS of an attempt, as far as it takes part

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
