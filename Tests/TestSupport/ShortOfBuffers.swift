// A system that has no memory left for sockets, for a program that a test starts.

#if os(Linux)
    import Foundation

    /// Refuses sockets for IPv4 in a program, for as long as the program keeps a file there, the name of which it finds in
    /// `SHORTAGE_FILE`.
    package final class ShortOfBuffers: AlteredSystem {
        /// Where the system may find that out.
        package enum Call: String, CaseIterable, Sendable { case socket, connect }

        package let library: PreloadedLibrary
        package let settings: [String]

        private static let source = """
            #define _GNU_SOURCE
            #include <dlfcn.h>
            #include <errno.h>
            #include <stdlib.h>
            #include <string.h>
            #include <sys/socket.h>
            #include <unistd.h>
            static int refused(const char *call, int family) {
                if (family != AF_INET || strcmp(call, getenv("SHORTAGE_CALL"))) return 0;
                if (access(getenv("SHORTAGE_FILE"), F_OK)) return 0;
                errno = atoi(getenv("SHORTAGE_ERRNO"));
                return 1;
            }
            int socket(int family, int type, int protocol) {
                static int (*original)(int, int, int);
                if (!original) original = dlsym(RTLD_NEXT, "socket");
                return refused("socket", family) ? -1 : original(family, type, protocol);
            }
            int connect(int descriptor, const struct sockaddr *address, socklen_t length) {
                static int (*original)(int, const struct sockaddr *, socklen_t);
                if (!original) original = dlsym(RTLD_NEXT, "connect");
                return refused("connect", address->sa_family) ? -1 : original(descriptor, address, length);
            }
            """

        package init(_ code: Int32, from call: Call) throws {
            library = try PreloadedLibrary(Self.source)
            settings = [
                "SHORTAGE_CALL=\(call.rawValue)", "SHORTAGE_ERRNO=\(code)",
                "SHORTAGE_FILE=\(library.folder.file("short"))",
            ]
        }
    }
#endif
