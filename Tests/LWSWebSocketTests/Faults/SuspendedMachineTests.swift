// A machine that is suspended while clients wait.

#if os(Linux)
    import TestSupport
    import Testing

    @testable import LWSWebSocket

    @Suite("A machine that was suspended", .serialized)
    struct SuspendedMachineTests {
        @Test(
            "has used up nobody's time: what arrives afterwards is not late",
            .disabled(if: Sanitizer.isActive, "a sanitizer has to be loaded before the clock"))
        func suspended() throws {
            // Of the two clocks that the system has one goes on while the machine is suspended, here by a day each time.
            let clocks = try SteppedClocks([.bootTime], step: 86400)
            let server = try RawServer { peer in
                _ = try? peer.acceptUpgrade()
                while let frame = try? peer.readFrame(), frame.opcode == 1 {
                    // The client waits now; it wakes up a day later for a ping, and its message comes after that.
                    clocks.advance()
                    peer.sendFrame(opcode: 9, [])
                    _ = try? peer.readFrame()
                    peer.sendFrame(opcode: 1, [65])
                }
            }
            defer { server.stop() }
            let probe = try clocks.startProbe("suspended", of: server)
            defer { probe.stop() }
            #expect(try probe.waitForLine("end ", within: Timing.ages) == "done")
            #expect(clocks.count == 20)
        }
    }
#endif
