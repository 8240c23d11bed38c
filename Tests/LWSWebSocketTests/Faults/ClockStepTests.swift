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
        /// The waits, and how each ends.
        private static let waits = [("read", "readTimedOut"), ("idle", "done"), ("retry", "connection")]

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
            var missed = Set(Self.waits.map(\.0))
            for _ in 0..<10 where !missed.isEmpty { missed.subtract(try run(library, server, seconds)) }
            #expect(missed.isEmpty, "the clock was never stepped meanwhile")
        }

        /// Has the probe wait in each way, and steps the clock meanwhile. Returns the waits in the midst of which that came:
        /// on a busy machine it may be early or late.
        private func run(_ library: String, _ server: EchoProcess, _ seconds: Int) throws -> Set<String> {
            let folder = try TemporaryFolder("lws-clock")
            let clock = try folder.write("+0\n", to: "clock")
            let settings = [
                "LD_PRELOAD=\(library)", "FAKETIME_TIMESTAMP_FILE=\(clock)", "FAKETIME_NO_CACHE=1",
                "FAKETIME_DONT_FAKE_MONOTONIC=1", "DONT_FAKE_MONOTONIC=1",
                "PROBE_MODE=waits", "PROBE_URL=\(server.url())",
                "PROBE_CLOSED=ws://127.0.0.1:\(try FreePort.find())/",
            ]
            let probe = try PeerProcess("/usr/bin/env", settings + [try BuiltProgram.path("lws-process-probe")])
            defer { probe.stop() }
            var offset = 0
            var hit: Set<String> = []
            for (name, outcome) in Self.waits {
                _ = try probe.waitForLine("begin \(name)", within: Timing.ages)
                offset += seconds
                // In one step, for the probe reads it with each look at the clock.
                try folder.write("\(offset < 0 ? "" : "+")\(offset)\n", to: "next")
                guard rename(folder.file("next"), clock) == 0 else { throw PeerError("rename") }
                let line = try probe.waitForLine("\(name) ", within: Timing.ages)
                let words = line.split(separator: " ").map(String.init)
                #expect(words[0] == outcome)
                let time = Duration.milliseconds(try #require(Int(words[1])))
                let wall = try #require(Int(words[2]))
                // By the wall's clock it would have been over at once, or in a day.
                #expect(time >= .milliseconds(600) && time < Timing.atOnce, "\(words)")
                // Far from a day, and from none.
                if abs(wall - seconds) < 3600 { hit.insert(name) }
            }
            #expect(try probe.waitForLine("echo ", within: Timing.ages) == "still there")
            _ = try probe.waitForLine("end", within: Timing.ages)
            return hit
        }
    }
#endif
