// Clocks that a test puts forward, for a program that it starts.

#if os(Linux)
    import Foundation

    /// Steps some of the system's clocks in a program: by `step` for each byte of a file. Waits of the system itself are not
    /// shorter for that: time counts as gone by where somebody looks at the clock.
    package final class SteppedClocks: AlteredSystem {
        /// Those that nobody sets, by their numbers (clock_gettime(2)).
        package enum Clock: Int32, Sendable {
            case monotonic = 1
            /// Goes on while the machine is suspended, which the other does not.
            case bootTime = 7
        }

        package let library: PreloadedLibrary
        private let file: String
        package let settings: [String]

        private static let source = """
            #define _GNU_SOURCE
            #include <dlfcn.h>
            #include <stdlib.h>
            #include <sys/stat.h>
            #include <time.h>
            int clock_gettime(clockid_t clock, struct timespec *time) {
                static int (*original)(clockid_t, struct timespec *);
                if (!original) original = dlsym(RTLD_NEXT, "clock_gettime");
                int status = original(clock, time);
                struct stat steps;
                if ((atoi(getenv("STEPPED_CLOCKS")) >> clock & 1) && !stat(getenv("CLOCK_STEPS"), &steps)) {
                    time->tv_sec += steps.st_size * atol(getenv("CLOCK_STEP"));
                }
                return status;
            }
            """

        /// - Parameter step: seconds.
        package init(_ clocks: [Clock], step: Int) throws {
            library = try PreloadedLibrary(Self.source)
            file = try library.folder.write("", to: "steps")
            settings = [
                "STEPPED_CLOCKS=\(clocks.reduce(0) { $0 | 1 << $1.rawValue })", "CLOCK_STEPS=\(file)",
                "CLOCK_STEP=\(step)",
            ]
        }

        /// Puts the clocks forward by one step.
        package func advance() {
            let handle = FileHandle(forWritingAtPath: file)
            _ = try? handle?.seekToEnd()
            try? handle?.write(contentsOf: Data([0x2e]))
        }

        /// Steps so far.
        package var count: Int { (try? Data(contentsOf: URL(filePath: file)).count) ?? 0 }
    }
#endif
