// The socket by which a context hears of the machine's routes.

import CLibWebSockets

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

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
