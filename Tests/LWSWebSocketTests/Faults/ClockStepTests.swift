// A wall clock that is set while clients wait.

#if os(Linux)
    import Foundation
    import TestSupport
    import Testing

    @testable import LWSWebSocket

    /// Only the wall clock is stepped, by libfaketime, in a process of its own: setting the machine's needs privileges. The
    /// part that goes by it on purpose is the life of tokens (TokenTests).
    @Suite("A clock that is stepped", .serialized)
    struct ClockStepTests {
        private static let library = ["/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/usr/lib"]
            .map { (folder: String) in "\(folder)/faketime/libfaketimeMT.so.1" }
            .first { FileManager.default.isReadableFile(atPath: $0) }

        @Test(
            "by a day changes no time limit, no keep-alive and no wait between attempts",
            .disabled(if: Sanitizer.isActive, "a sanitizer has to be loaded before libfaketime"),
            arguments: [86400, -86400])
        func stepped(_ seconds: Int) throws {
            let library = try #require(Self.library, "`make test-deps` installs libfaketime")
            let server = try EchoProcess()
            let folder = try TemporaryFolder("lws-clock")
            let clock = try folder.write("+0\n", to: "clock")
            let settings = [
                "LD_PRELOAD=\(library)", "FAKETIME_TIMESTAMP_FILE=\(clock)", "FAKETIME_NO_CACHE=1",
                "FAKETIME_DONT_FAKE_MONOTONIC=1", "DONT_FAKE_MONOTONIC=1",
                "PROBE_URL=\(server.url())", "PROBE_CLOSED=ws://127.0.0.1:\(try FreePort.find())/",
            ]
            let probe = try PeerProcess("/usr/bin/env", settings + [try BuiltProgram.path("lws-process-probe")])
            defer { probe.stop() }
            var offset = 0
            for (name, outcome) in [("read", "readTimedOut"), ("idle", "done"), ("retry", "connection")] {
                _ = try probe.waitForLine("begin \(name)")
                offset += seconds
                // In one step, for the probe reads it with each look at the clock.
                try folder.write("\(offset < 0 ? "" : "+")\(offset)\n", to: "next")
                guard rename(folder.file("next"), clock) == 0 else { throw PeerError("rename") }
                let words = try probe.waitForLine("\(name) ").split(separator: " ").map(String.init)
                #expect(words[0] == outcome)
                let time = try #require(Int(words[1]))
                let wall = try #require(Int(words[2]))
                #expect((600..<2500).contains(time), "\(words)")
                #expect(abs(wall - seconds) < 10, "the clock was stepped meanwhile: \(words)")
            }
            #expect(try probe.waitForLine("echo ") == "still there")
            _ = try probe.waitForLine("end")
        }
    }
#endif
