// A system that takes its time to send, for a program that a test starts.

#if os(Linux)
    /// Has each send(2) of a program take some time, after which the system takes 7,000 bytes of it at most: calls
    /// that last microseconds otherwise, so that hardly anything ever comes between.
    package final class SlowSends: AlteredSystem {
        package let library: PreloadedLibrary

        private static let source = """
            #define _GNU_SOURCE
            #include <dlfcn.h>
            #include <stdlib.h>
            #include <sys/socket.h>
            #include <unistd.h>
            ssize_t send(int descriptor, const void *bytes, size_t count, int flags) {
                static ssize_t (*original)(int, const void *, size_t, int);
                if (!original) original = dlsym(RTLD_NEXT, "send");
                usleep(atoi(getenv("SEND_TIME")));
                return original(descriptor, bytes, count < 7000 ? count : 7000, flags);
            }
            """

        package let settings: [String]

        /// - Parameter time: microseconds.
        package init(time: Int) throws {
            library = try PreloadedLibrary(Self.source)
            settings = ["SEND_TIME=\(time)"]
        }
    }
#endif
