// What poll(2) says of one socket, without waiting.

import CLibWebSockets

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

package enum SocketPoll {
    /// What there is of `wanted`, and errors. A signal ends it only where there is nothing (Linux, fs/select.c: `do_poll`), and for
    /// one socket the system needs no memory.
    package static func events(_ descriptor: Int32, _ wanted: Int16) -> Int16 {
        var watched = pollfd(fd: descriptor, events: wanted, revents: 0)
        return poll(&watched, 1, 0) > 0 ? watched.revents : 0
    }

    /// Whether it has room for what is written.
    package static func takesData(_ descriptor: Int32) -> Bool {
        events(descriptor, Int16(POLLOUT)) == Int16(POLLOUT)
    }

    /// Bytes that can be read.
    static func unread(_ descriptor: Int32) -> Int { Int(clws_unread(descriptor)) }

    /// Whether the peer has ended its direction, or TCP is broken.
    package static func hasEnded(_ descriptor: Int32) -> Bool {
        events(descriptor, Int16(clws_poll_ended)) & Int16(clws_poll_ended) != 0
    }
}
