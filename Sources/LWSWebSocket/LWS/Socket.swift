// What a socket says of its connection, apart from lws.

internal import CLibWebSockets

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

    /// Whether the peer has ended its direction, or TCP is broken.
    static func hasEnded(_ descriptor: Int32) -> Bool {
        events(descriptor) & Int16(clws_poll_ended) != 0
    }

    /// Whether the connection goes on: no error, no end of stream in front of what is left to read.
    static func isSound(_ descriptor: Int32) -> Bool {
        // After a reset the system still hands out what had arrived before, so the error has to be looked for.
        guard events(descriptor) & Int16(POLLERR | POLLHUP) == 0 else { return false }
        var byte: UInt8 = 0
        let count = recv(descriptor, &byte, 1, clws_peek)
        return count > 0 || (count < 0 && errno == EAGAIN)
    }

    /// Whether something has arrived that nobody has read yet.
    static func hasUnreadBytes(_ descriptor: Int32) -> Bool {
        var byte: UInt8 = 0
        return recv(descriptor, &byte, 1, clws_peek) > 0
    }

    private static func events(_ descriptor: Int32) -> Int16 {
        var watched = pollfd(fd: descriptor, events: Int16(clws_poll_ended), revents: 0)
        return poll(&watched, 1, 0) > 0 ? watched.revents : 0
    }
}
