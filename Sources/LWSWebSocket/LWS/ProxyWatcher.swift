// Sees what a proxy answers before lws does.

internal import CLibWebSockets
internal import HTTPTypes
internal import LWSServiceLoop

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// A second descriptor of an attempt's socket, on which the loop waits for the proxy's answer while lws does not read.
///
/// lws takes whatever its first read gives for the whole answer: one in two pieces fails, or its second piece is taken
/// for the server's; and lws 4.1 does not say which status a refusal has (client-http.c, LRS_WAITING_PROXY_REPLY). So
/// lws may read when the whole head is there, which is looked at without taking it out of the socket.
final class ProxyWatcher {
    private let descriptor: Int32
    private unowned let attempt: ClientAttempt
    private var wsi: OpaquePointer?

    /// `nil` where the system or lws has no room for it. The attempt keeps it until its attempt has ended.
    init?(_ connecting: OpaquePointer, _ attempt: ClientAttempt, _ held: borrowing HeldLoop) {
        guard let pool = held.resident(ClientVhostPool.self) else { return nil }
        descriptor = fcntl(lws_get_socket_fd(connecting), F_DUPFD_CLOEXEC, 0)
        self.attempt = attempt
        guard descriptor >= 0 else { return nil }
        var file = lws_sock_file_fd_type()
        file.filefd = descriptor
        wsi = lws_adopt_descriptor_vhost(
            pool.watchers.vhost, LWS_ADOPT_RAW_FILE_DESC, file, ClientVhost.watcherName, nil)
        guard let wsi else {
            // lws closes a socket that it refuses, but not a file (adopt.c: lws_adopt_descriptor_vhost2).
            close(descriptor)
            return nil
        }
        // Alive for as long as lws has this: `detach` and `forgotten` are the ends of it.
        lws_set_opaque_user_data(wsi, Unmanaged.passUnretained(self).toOpaque())
    }

    /// What has come so far.
    func look() -> (answer: ProxyAnswer, hasEnded: Bool) {
        var bytes = [UInt8](repeating: 0, count: ProxyAnswer.longest)
        // Before the look at the bytes, which are complete then.
        let hasEnded = Socket.hasEnded(descriptor)
        let count = max(0, recv(descriptor, &bytes, bytes.count, clws_peek))
        let answer = ProxyAnswer(bytes.prefix(count))
        // What has been seen is still in the socket and must not wake the loop again.
        setLowWater(answer == .incomplete ? count + 1 : 1)
        return (answer, hasEnded)
    }

    /// From how many bytes on, or at the end of the stream, the socket counts as readable.
    private func setLowWater(_ bytes: Int) {
        var value = Int32(bytes)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVLOWAT, &value, socklen_t(MemoryLayout<Int32>.size))
    }

    /// lws closes the descriptor in its next pass and does not call back any more.
    func stop(_ held: borrowing HeldLoop) {
        guard let wsi else { return }
        detach()
        lws_set_timeout(wsi, PENDING_TIMEOUT_USER_OK, clws_kill_async)
        held.noteWork()
    }

    /// lws does not call back any more.
    fileprivate func detach() {
        guard let wsi else { return }
        lws_set_opaque_user_data(wsi, nil)
        self.wsi = nil
    }

    /// Returns whether to wait for more.
    fileprivate func readable(_ held: borrowing HeldLoop) -> Bool { attempt.proxyAnswered(held) }

    fileprivate func forgotten() { wsi = nil }
}

/// The callback of the watchers' protocol.
func proxyWatcherCallback(
    _ wsi: OpaquePointer?, _ reason: lws_callback_reasons, _ user: UnsafeMutableRawPointer?,
    _ argument: UnsafeMutableRawPointer?, _ length: Int
) -> Int32 {
    guard reason == LWS_CALLBACK_RAW_RX_FILE || reason == LWS_CALLBACK_RAW_CLOSE_FILE, let wsi else { return 0 }
    return LoopContext.callback(of: wsi) { held in
        // After `detach` nobody looks at what comes.
        guard let pointer = lws_get_opaque_user_data(wsi) else { return -1 }
        let watcher = Unmanaged<ProxyWatcher>.fromOpaque(pointer).takeUnretainedValue()
        guard reason == LWS_CALLBACK_RAW_RX_FILE else {
            watcher.forgotten()
            return 0
        }
        return watcher.readable(held) ? 0 : -1
    } ?? 0
}

extension ClientAttempt {
    /// TCP to the proxy is connected, and lws is about to send the CONNECT request.
    func connectedToProxy(_ wsi: OpaquePointer, _ held: borrowing HeldLoop) {
        // The address has proved itself, as in `appendHeaders`.
        addresses = []
        guard let watcher = ProxyWatcher(wsi, self, held) else { return }
        proxyWatcher = watcher
        lws_rx_flow_control(wsi, 0)
    }

    /// The proxy has said something, or has ended the connection. Returns whether to wait for more.
    fileprivate func proxyAnswered(_ held: borrowing HeldLoop) -> Bool {
        guard let proxyWatcher, let wsi else { return false }
        let (answer, hasEnded) = proxyWatcher.look()
        if answer == .accepted {
            self.proxyWatcher = nil
            hasTunnel = true
            limitSecuring(held)
            proxyWatcher.detach()
            lws_rx_flow_control(wsi, 1)
            return false
        }
        guard let refusal = proxyError(answer, hasEnded: hasEnded) else { return true }
        failure = refusal
        abort(held)
        return false
    }

    /// The attempt has ended, perhaps before the proxy's answer was looked at.
    func stopWatching(_ held: borrowing HeldLoop) {
        guard let watcher = proxyWatcher else { return }
        proxyWatcher = nil
        if failure == nil, !isAborted { failure = proxyError(watcher.look().answer, hasEnded: true) }
        watcher.stop(held)
    }

    /// Without a watcher there are only lws's words: those of 4.1 ("proxy not h1"), and of later releases.
    func proxyFailed(_ detail: String) -> Bool {
        guard let proxy = route.proxy, proxyWatcher == nil else { return proxyWatcher != nil }
        guard detail.hasPrefix("proxy ") || detail.hasPrefix("http_proxy") else { return false }
        let what = hasTunnel ? "ended the connection after it had agreed to it" : "did not make the tunnel"
        failure = error(.connection, "The proxy \(proxy.name) \(what)", detail: detail)
        return true
    }

    private func proxyError(_ answer: ProxyAnswer, hasEnded: Bool) -> WebSocketError? {
        guard let proxy = route.proxy else { return nil }
        let (name, host, port) = (proxy.name, url.host, url.port)
        switch answer {
        case .accepted: return nil
        case .incomplete:
            guard hasEnded else { return nil }
            return error(.connection, "The proxy \(name) ended the connection before it answered")
        case .invalid:
            return error(
                .connection, "The proxy \(name) did not answer with a valid HTTP response; is it an HTTP proxy?")
        case .refused(let status):
            let hint =
                switch status {
                case 407 where proxy.username == nil: "; it asks for a username and password"
                case 407: "; check the proxy's username and password"
                default: ""
                }
            return WebSocketError(
                .connection,
                "The proxy \(name) refused to connect to \(host), port \(port), with status \(status)\(hint)",
                host: host, httpResponse: HTTPResponse(status: .init(code: status)))
        }
    }
}
