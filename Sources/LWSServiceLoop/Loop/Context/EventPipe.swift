// Descriptors of a context that lws leaves open, or has programs inherit.

import CLibWebSockets

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// The event descriptor of a context of some releases on Linux, which they do not close when the context is destroyed:
/// core-net/close.c (`__lws_close_free_wsi_final`) leaves that to `lws_pt_destroy` and has it forget the number (since 4.3.4, "pipe:
/// only pt destroy pipe close should close pipe fds"; mended in 4.3.7 and 4.4.2, "eventfd: pipe: cleanup on ctx destruction"). Nor
/// do they tell it to anybody.
///
/// It is the one whose count goes up when lws is told to wake up.
struct EventPipe {
    private let descriptor: Int32
    /// What the system knows it by, whatever has its number later.
    private let identity: Substring

    /// A descriptor that is kept free for the search, which needs one: what a context is made with may be the last.
    struct Reserve {
        private let descriptor = clws_leaves_event_pipe() ? open("/dev/null", O_RDONLY | O_CLOEXEC) : -1

        func release() {
            if descriptor >= 0 { systemClose(descriptor) }
        }
    }

    /// Descriptors that a context opens: for random numbers, for the machine's routes, and the pipe.
    private static let count = 3

    /// Why so many contexts cannot be made now, each with its pipe: the system's reason. One is kept to spare.
    static func shortage(contexts: Int) -> Int32? {
        var (taken, reason) = ([Int32](), nil as Int32?)
        while reason == nil, taken.count < contexts * count + 1 {
            // What lws needs to be there as well.
            let descriptor = open("/dev/urandom", O_RDONLY | O_CLOEXEC)
            if descriptor >= 0 { taken.append(descriptor) } else { reason = errno }
        }
        for descriptor in taken { systemClose(descriptor) }
        return reason
    }

    /// The context has just been made. `nil` where it closes its descriptor, or has none.
    init?(of context: OpaquePointer, _ reserve: Reserve) {
        guard clws_leaves_event_pipe() else { return nil }
        reserve.release()
        let before = Self.eventDescriptors().compactMap { descriptor in
            Self.facts(descriptor).map { (descriptor: descriptor, count: $0.count, identity: $0.identity) }
        }
        // Nobody has the loop yet, and nothing is taken from the count. Another may be written to at the same time, but hardly in
        // each of the two turns.
        var own = before
        for turn in 1...2 {
            lws_cancel_service(context)
            own = own.filter { Self.facts($0.descriptor)?.count == $0.count + UInt64(turn) }
        }
        // Some of these releases close it all the same, and without an identity it may be another's by then.
        guard own.count == 1, !own[0].identity.isEmpty else { return nil }
        (descriptor, identity) = (own[0].descriptor, own[0].identity)
    }

    /// The context has been destroyed.
    func close() {
        if Self.facts(descriptor)?.identity == identity { systemClose(descriptor) }
    }

    private static func eventDescriptors() -> [Int32] {
        (DirectoryNames.list("/proc/self/fd") ?? []).compactMap { name in
            var kind = [CChar](repeating: 0, count: 32)
            let length = readlink("/proc/self/fd/\(name)", &kind, kind.count - 1)
            return length > 0 && strcmp(kind, "anon_inode:[eventfd]") == 0 ? Int32(name) : nil
        }
    }

    /// What proc(5) says of an event descriptor (/proc/pid/fdinfo).
    private static func facts(_ descriptor: Int32) -> (count: UInt64, identity: Substring)? {
        let file = open("/proc/self/fdinfo/\(descriptor)", O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return nil }
        defer { systemClose(file) }
        var bytes = [UInt8](repeating: 0, count: 512)
        let length = read(file, &bytes, bytes.count)
        let lines = String(decoding: bytes.prefix(max(0, length)), as: UTF8.self).split(separator: "\n")
        func value(_ name: String) -> Substring? {
            lines.first { $0.hasPrefix("\(name):") }.map {
                $0.dropFirst(name.utf8.count + 1).drop { $0 == " " || $0 == "\t" }
            }
        }
        guard let count = value("eventfd-count").flatMap({ UInt64($0, radix: 16) }) else { return nil }
        // Linux before 5.2 does not say it.
        return (count, value("eventfd-id") ?? "")
    }
}

// By a name of its own: the method above hides it.
private func systemClose(_ descriptor: Int32) { close(descriptor) }

// MARK: - The socket by which a context hears of the machine's routes

/// The netlink socket of a context of lws 4.2 and later on Linux, which it opens without SOCK_CLOEXEC, unlike all others
/// (roles/netlink/ops-netlink.c: rops_pt_init_destroy_netlink; the same in 5.0). Every program that the application starts
/// would inherit it.
enum RouteSocket {
    /// A context has just been made. lws does not tell which its socket is, so it is known by what it listens for.
    static func keepFromPrograms() {
        guard clws_opens_route_socket() else { return }
        for descriptor in (DirectoryNames.list("/proc/self/fd") ?? []).compactMap({ Int32($0) })
        where clws_is_route_socket(descriptor) {
            _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
        }
    }
}
