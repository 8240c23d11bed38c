// A machine that is suspended while clients wait.

#if os(Linux)
    import Foundation
    import TestSupport
    import Testing

    @testable import LWSWebSocket

    @Suite("A machine that was suspended", .serialized)
    struct SuspendedMachineTests {
        /// What tells the two clocks apart that the system has: one goes on while the machine is suspended, here by a day for
        /// each byte of a file.
        private static let clock = """
            #define _GNU_SOURCE
            #include <dlfcn.h>
            #include <stdlib.h>
            #include <sys/stat.h>
            #include <time.h>
            int clock_gettime(clockid_t clock, struct timespec *time) {
                static int (*original)(clockid_t, struct timespec *);
                if (!original) original = dlsym(RTLD_NEXT, "clock_gettime");
                int status = original(clock, time);
                struct stat days;
                if (clock == CLOCK_BOOTTIME && !stat(getenv("SUSPENDED"), &days)) time->tv_sec += days.st_size * 86400;
                return status;
            }
            """

        @Test(
            "has used up nobody's time: what arrives afterwards is not late",
            .disabled(if: Sanitizer.isActive, "a sanitizer has to be loaded before the clock"))
        func suspended() throws {
            let folder = try TemporaryFolder("lws-clock")
            let (days, library) = (try folder.write("", to: "days"), folder.file("clock.so"))
            let source = try folder.write(Self.clock, to: "clock.c")
            let compiler = try PeerProcess(
                "/bin/sh", ["-c", "clang -shared -fPIC -o \(library) \(source) -ldl && echo made"])
            defer { compiler.stop() }
            _ = try compiler.waitForLine("made", within: Timing.ages)
            let server = try RawServer { peer in
                _ = try? peer.acceptUpgrade()
                while let frame = try? peer.readFrame(), frame.opcode == 1 {
                    // The client waits now; it wakes up a day later for a ping, and its message comes after that.
                    let handle = FileHandle(forWritingAtPath: days)
                    _ = try? handle?.seekToEnd()
                    try? handle?.write(contentsOf: Data([0x2e]))
                    peer.sendFrame(opcode: 9, [])
                    _ = try? peer.readFrame()
                    peer.sendFrame(opcode: 1, [65])
                }
            }
            defer { server.stop() }
            let settings = [
                "LD_PRELOAD=\(library)", "SUSPENDED=\(days)", "PROBE_MODE=suspended", "PROBE_URL=\(server.url())",
            ]
            let probe = try PeerProcess("/usr/bin/env", settings + [try BuiltProgram.path("lws-process-probe")])
            defer { probe.stop() }
            #expect(try probe.waitForLine("end ", within: Timing.ages) == "done")
            #expect(try Data(contentsOf: URL(filePath: days)).count == 20)
        }
    }
#endif
