// A system that has no memory for another socket (ENOMEM, ENOBUFS).

#if os(Linux)
    import Glibc
    import LWSServiceLoop
    import TestSupport
    import Testing

    @testable import LWSWebSocket

    @Suite("Without memory for a socket", .serialized)
    struct BufferShortageTests {
        @Test(
            "connecting is an error that says so, after five losses too; afterwards all is well",
            .disabled(if: Sanitizer.isActive, "a sanitizer has to be loaded before the shortage"),
            arguments: [ENOMEM, ENOBUFS], [false, true])
        func connecting(_ code: Int32, _ isSecure: Bool) throws {
            for call in ShortOfBuffers.Call.allCases {
                let identity = isSecure ? try TLSIdentity(CertificateAuthority.shared.server(.good)) : nil
                let connections = Locked(0)
                let server = try RawServer(tls: identity) { peer in
                    guard (try? peer.acceptUpgrade()) != nil else { return }
                    let number = connections.withLock { count in
                        count += 1
                        return count
                    }
                    peer.sendFrame(opcode: 1, Array("connection \(number)".utf8))
                    // The others are lost.
                    if number == 6, let close = try? peer.readFrame() { peer.sendFrame(opcode: 8, close.payload) }
                }
                defer { server.stop() }
                let probe = try ShortOfBuffers(code, from: call).startProbe("short", of: server)
                defer { probe.stop() }
                for _ in 0..<6 {
                    let error = try probe.waitForLine("short ", within: Timing.ages)
                    #expect(error.hasPrefix("connection true "), "\(call): \(error)")
                    #expect(error.contains(String(cString: strerror(code))), "\(call): \(error)")
                }
                #expect(try probe.waitForLine("end ", within: Timing.ages) == "done")
                #expect(connections.withLock { $0 } == 6)
            }
        }
    }
#endif
