// Connections that last for hours without anybody having asked for pings.

#if os(Linux)
    import LWSServiceLoop
    import TestSupport
    import Testing

    @testable import LWSWebSocket

    @Suite("A peer that answers no pings", .serialized)
    struct SilentPeerTests {
        @Test(
            "gets none, and keeps its connection for as long as it likes, after five losses too",
            .disabled(if: Sanitizer.isActive, "a sanitizer has to be loaded before the clock"),
            arguments: [false, true])
        func hours(_ isSecure: Bool) throws {
            let clocks = try SteppedClocks([.monotonic, .bootTime], step: 60)
            let identity = isSecure ? try TLSIdentity(CertificateAuthority.shared.server(.good)) : nil
            let seen = Locked<[[UInt8]]>([])
            let connections = Locked(0)
            let server = try RawServer(tls: identity) { peer in
                guard let request = try? peer.acceptUpgrade() else { return }
                guard request.hasPrefix("GET /kept ") else {
                    if let close = try? peer.readFrame() { peer.sendFrame(opcode: 8, close.payload) }
                    return
                }
                let number = connections.withLock { count in
                    count += 1
                    return count
                }
                peer.sendFrame(opcode: 1, Array("connection \(number)".utf8))
                guard number == 6 else { return }
                while let frame = try? peer.readFrame() {
                    seen.withLock { $0.append([UInt8(frame.opcode)] + frame.payload) }
                    guard frame.opcode != 9 else { continue }
                    if frame.opcode == 1 { clocks.advance() }
                    peer.sendFrame(opcode: frame.opcode, frame.payload)
                }
            }
            defer { server.stop() }
            let probe = try clocks.startProbe("hours", of: server)
            defer { probe.stop() }
            #expect(try probe.waitForLine("end ", within: Timing.ages) == "done")
            // 300 s of silence is what lws pings after, 310 s what it ends a connection after.
            #expect(clocks.count == 120)
            #expect(seen.withLock { $0 }.filter { $0.first != 1 } == [[8, 3, 232]])
            #expect(connections.withLock { $0 } == 6)
        }
    }
#endif
