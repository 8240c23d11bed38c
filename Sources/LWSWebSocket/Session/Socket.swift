// What a socket says of its connection, apart from lws.

internal import CLibWebSockets
internal import LWSServiceLoop

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

enum Socket {
    /// Whether TCP is connected.
    static func isConnected(_ descriptor: Int32) -> Bool {
        var address = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        return withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                getpeername(descriptor, $0, &length) == 0
            }
        }
    }

    /// Why connecting has failed, which the system tells once; `nil` where it has not.
    static func takeFailure(_ descriptor: Int32) -> Int32? {
        guard SocketPoll.events(descriptor, 0) & Int16(POLLERR) != 0 else { return nil }
        var reason: Int32 = 0
        var length = socklen_t(MemoryLayout<Int32>.size)
        guard getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &reason, &length) == 0, reason != 0 else { return nil }
        return reason
    }

    /// Whether the connection goes on: no error, no end of stream in front of what is left to read.
    static func isSound(_ descriptor: Int32) -> Bool {
        // After a reset the system still hands out what had arrived before, so the error has to be looked for.
        guard SocketPoll.events(descriptor, 0) & Int16(POLLERR | POLLHUP) == 0 else { return false }
        var byte: UInt8 = 0
        let count = withUnsafeMutableBytes(of: &byte) { receive(into: $0, from: descriptor) }
        return count > 0 || (count < 0 && errno == EAGAIN)
    }

    /// Whether something has arrived that nobody has read yet.
    static func hasUnreadBytes(_ descriptor: Int32) -> Bool {
        var byte: UInt8 = 0
        return withUnsafeMutableBytes(of: &byte) { receive(into: $0, from: descriptor) } > 0
    }

    /// What recv(2) says, which never waits here, and is asked again where a signal came: whoever has been told once that there
    /// is something, and then looks in vain, is not told again.
    /// - Parameter taking: what is seen is gone then.
    static func receive(
        into buffer: UnsafeMutableRawBufferPointer, from descriptor: Int32, taking: Bool = false
    ) -> Int {
        Interrupted.again { recv(descriptor, buffer.baseAddress, buffer.count, taking ? clws_take : clws_peek) }
    }

    /// Sends something short at once. Returns whether the system has taken all of it.
    static func send(_ bytes: [UInt8], to descriptor: Int32) -> Bool {
        bytes.withUnsafeBytes { send($0, to: descriptor) } == bytes.count
    }

    /// Returns how much the system has taken; `nil` where the connection is broken.
    static func send(_ bytes: UnsafeRawBufferPointer, to descriptor: Int32) -> Int? {
        // It raises no SIGPIPE.
        let count = Interrupted.again { systemSend(descriptor, bytes.baseAddress, bytes.count, clws_send) }
        if count < 0, errno == EAGAIN { return 0 }
        return count < 0 ? nil : count
    }

    /// Nothing more leaves: every later write fails, without a signal.
    static func endOutput(_ descriptor: Int32) { _ = shutdown(descriptor, Int32(SHUT_WR)) }

    /// Has the number `place` stand for what `descriptor` stands for. Returns whether the system could.
    static func put(_ descriptor: Int32, at place: Int32) -> Bool {
        // Closed when a program is started, as lws has its sockets (plat/unix/unix-sockets.c: lws_plat_set_socket_options).
        Interrupted.again { clws_put(descriptor, place) } == place
    }
}

/// Two sockets that are connected with each other, and never wait.
final class SocketPair {
    let near: Int32
    let far: Int32

    /// `nil` where the system has no descriptors for them.
    init?() {
        var pair: [Int32] = [-1, -1]
        guard socketpair(AF_UNIX, clws_stream, 0, &pair) == 0 else { return nil }
        (near, far) = (pair[0], pair[1])
        let isPrepared = pair.allSatisfy {
            fcntl($0, F_SETFD, FD_CLOEXEC) == 0 && fcntl($0, F_SETFL, O_NONBLOCK) == 0
        }
        guard isPrepared else { return nil }
    }

    deinit {
        close(near)
        close(far)
    }
}

// By a name of its own: the method above hides it.
private func systemSend(_ descriptor: Int32, _ bytes: UnsafeRawPointer?, _ count: Int, _ flags: Int32) -> Int {
    send(descriptor, bytes, count, flags)
}
