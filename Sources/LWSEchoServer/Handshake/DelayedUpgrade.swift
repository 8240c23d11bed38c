// Holding back an answer that lws writes at once.

import CLibWebSockets
import LWSServiceLoop

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// Holds back what lws writes to a socket for some time, without blocking the loop.
///
/// lws writes its 101 right after `LWS_CALLBACK_FILTER_PROTOCOL_CONNECTION` returns (roles/ws/server-ws.c:
/// handshake_0405), and has no way to wait. So its descriptor is made to lead to a pair of sockets meanwhile: the
/// bytes, encrypted already under TLS, wait in the pair, and go to the client when the time has come and the
/// descriptor leads to the client again.
final class DelayedUpgrade {
    private let descriptor: Int32
    /// Another descriptor of the client's TCP connection.
    private var client: Int32 = -1
    /// The end of the pair that lws does not have.
    private var pair: Int32 = -1
    private var timer: LoopTimer?

    /// Diverts `descriptor`; `nil` where the system has no descriptors left.
    init?(_ descriptor: Int32) {
        self.descriptor = descriptor
        var ends: [Int32] = [-1, -1]
        client = fcntl(descriptor, F_DUPFD_CLOEXEC, 0)
        guard client >= 0, socketpair(AF_UNIX, Self.stream, 0, &ends) == 0 else {
            closeAll()
            return nil
        }
        pair = ends[0]
        defer { close(ends[1]) }
        guard Self.prepare(pair), Self.prepare(ends[1]),
            Interrupted.again({ clws_put(ends[1], descriptor) }) == descriptor
        else {
            closeAll()
            return nil
        }
    }

    deinit { closeAll() }

    /// Lets the bytes go after `delay`, and calls `done` then.
    func release(after delay: Duration, _ held: borrowing HeldLoop, _ done: @escaping () -> Void) {
        let timer = LoopTimer { [weak self] _ in
            self?.restore()
            done()
        }
        self.timer = timer
        timer.arm(after: delay, held)
    }

    /// The connection has ended: what is held back is lost, and the client's connection ends too.
    func cancel(_ held: borrowing HeldLoop) {
        timer?.cancel(held)
        closeAll()
    }

    private func restore() {
        guard client >= 0 else { return }
        var buffer = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = read(pair, &buffer, buffer.count)
            guard count > 0 else { break }
            // An empty socket takes some hundred bytes at once. Where it does not, the client has gone, which lws
            // finds out by itself.
            guard send(client, buffer, count, Self.noSignal) == count else { break }
        }
        _ = Interrupted.again { clws_put(client, descriptor) }
        closeAll()
    }

    private func closeAll() {
        if client >= 0 { close(client) }
        if pair >= 0 { close(pair) }
        client = -1
        pair = -1
    }

    private static func prepare(_ descriptor: Int32) -> Bool {
        fcntl(descriptor, F_SETFD, FD_CLOEXEC) == 0
            && fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | O_NONBLOCK) == 0
    }

    #if canImport(Darwin)
        private static let stream = SOCK_STREAM
        private static let noSignal: Int32 = 0
    #else
        private static let stream = Int32(SOCK_STREAM.rawValue)
        private static let noSignal = Int32(MSG_NOSIGNAL)
    #endif
}
