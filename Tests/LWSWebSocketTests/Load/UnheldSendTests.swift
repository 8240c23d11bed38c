// Messages that their callers send without holding the loop.

import LWSServiceLoop
import TestSupport
import Testing

@testable import LWSWebSocket

@Suite("A caller in the midst of send(2)", .serialized)
struct UnheldSendTests {
    private let message = OutgoingMessage(.binary, UnsafeRawBufferPointer(start: nil, count: 0))

    @Test("is told of those who have queued messages meanwhile, and nobody is before or after")
    func followed() {
        let send = UnheldSend()
        #expect(!send.isUnderWay && !send.follow())
        send.begin()
        #expect(send.isUnderWay)
        #expect(!send.end())
        #expect(!send.isUnderWay)
        send.begin()
        #expect(send.follow() && send.follow())
        #expect(send.end())
        #expect(!send.isUnderWay && !send.follow())
        send.begin()
        #expect(!send.end(), "nobody has queued anything since")
    }

    @Test("leaves what the system did not take to who comes next, once; nobody may follow before that")
    func left() {
        let send = UnheldSend()
        #expect(send.settle() == nil)
        send.begin()
        #expect(send.follow())
        send.end(leaving: UnheldSend.Rest(message: message, bytes: nil))
        #expect(send.isUnderWay && !send.follow())
        #expect(send.settle()?.message === message)
        #expect(!send.isUnderWay && send.settle() == nil)
    }

    @Test("is waited for, whatever comes of it", arguments: [false, true])
    func awaited(_ isLeft: Bool) throws {
        let send = UnheldSend()
        for round in 0..<200 {
            send.begin()
            let ready = MonotonicSemaphore()
            let holder = try Background {
                ready.signal()
                return send.settle()?.message
            }
            _ = ready.wait(until: Deadline(after: Timing.ages))
            // Late enough to be slept for, or in the same moment.
            if round == 0 { #expect(holder.isBlocked(for: .milliseconds(50))) }
            if isLeft {
                send.end(leaving: UnheldSend.Rest(message: message, bytes: nil))
            } else {
                #expect(!send.end())
            }
            #expect(try holder.value() === (isLeft ? message : nil))
            #expect(!send.isUnderWay)
        }
    }

    #if os(Linux)
        /// What the peer has seen of a connection.
        private struct Seen {
            var counts = [UInt32](repeating: 0, count: 4)
            var pings = 0
            var pongs = 0
            var faults: [String] = []
            var close: [UInt8]?

            mutating func note(_ frame: RawFrame) {
                // A pong may still come: it is no data (RFC 6455, section 5.5.1).
                guard close == nil || frame.opcode == 10 else {
                    return faults.append("opcode \(frame.opcode) after the close frame")
                }
                switch frame.opcode {
                case 2:
                    guard frame.fin, frame.masked, frame.payload.count > 5, frame.payload[0] < 4 else {
                        return faults.append("a broken frame of \(frame.payload.count) bytes")
                    }
                    let writer = Int(frame.payload[0])
                    let number = (0..<4).reduce(UInt32(0)) { $0 | UInt32(frame.payload[1 + $1]) << (8 * UInt32($1)) }
                    let fill = frame.payload[5...]
                    if number != counts[writer] || fill.count != (number % 2 == 0 ? 20 : 20_000)
                        || !fill.allSatisfy({ $0 == frame.payload[0] })
                    {
                        faults.append("message \(number) in place of \(counts[writer]) of writer \(writer)")
                    }
                    counts[writer] += 1
                case 10:
                    pongs += 1
                    if frame.payload.count != 1 { faults.append("a broken pong") }
                case 8: close = frame.payload
                default: faults.append("opcode \(frame.opcode)")
                }
            }
        }

        @Test(
            "is not disturbed by what libwebsockets sends, nor by others, nor by the close, which comes last",
            .disabled(if: Sanitizer.isActive, "a sanitizer has to be loaded before the slow system"))
        func crowd() throws {
            let all = Locked(Seen())
            let server = try RawServer { peer in
                guard (try? peer.acceptUpgrade()) != nil else { return }
                var seen = Seen()
                var (messages, hasEnough) = (0, false)
                while let frame = try? peer.readFrame() {
                    seen.note(frame)
                    if frame.opcode == 8 { peer.sendFrame(opcode: 8, frame.payload) }
                    guard frame.opcode == 2 else { continue }
                    messages += 1
                    // One at a time, for libwebsockets answers the last of several.
                    if seen.pongs == seen.pings {
                        seen.pings += 1
                        peer.sendFrame(opcode: 9, [UInt8(truncatingIfNeeded: seen.pings)])
                    }
                    // How many pings that takes depends on who comes first: those of 600 were 16 to 133.
                    if messages >= 600, seen.pings > 20, !hasEnough {
                        hasEnough = true
                        peer.sendFrame(opcode: 1, Array("enough".utf8))
                    }
                }
                all.withLock { $0 = seen }
            }
            let probe = try SlowSends(time: 500).startProbe("crowd", of: server)
            defer { probe.stop() }
            let written = try (0..<4).map { writer in
                try #require(UInt32(probe.waitForLine("writer \(writer) ", within: Timing.ages)))
            }
            server.stop()
            let seen = all.withLock { $0 }
            #expect(seen.faults.isEmpty)
            #expect(seen.close == [3, 232])
            #expect(seen.pings > 20 && seen.pongs >= seen.pings - 1, "\(seen.pongs) of \(seen.pings)")
            for (writer, count) in written.enumerated() {
                // The last may have been on its way when the connection was closed.
                #expect(count <= seen.counts[writer] && seen.counts[writer] <= count + 1)
                #expect(count > 10)
            }
        }

        @Test(
            "keeps the socket open: nothing of theirs gets into another connection",
            .disabled(if: Sanitizer.isActive, "a sanitizer has to be loaded before the slow system"))
        func reuse() throws {
            let frames = Locked<[[UInt8]]>([])
            let server = try RawServer { peer in
                guard let request = try? peer.acceptUpgrade() else { return }
                if request.hasPrefix("GET /ended ") {
                    _ = try? peer.readFrame()
                    return peer.reset()
                }
                frames.withLock { $0.append(Array(request.utf8.prefix(10))) }
                while let frame = try? peer.readFrame() {
                    frames.withLock { $0.append([UInt8(frame.opcode)] + frame.payload) }
                    if frame.opcode == 8 { peer.sendFrame(opcode: 8, frame.payload) }
                }
            }
            defer { server.stop() }
            let probe = try SlowSends(time: 20_000).startProbe("reuse", of: server)
            defer { probe.stop() }
            #expect(try probe.waitForLine("end ", within: Timing.ages) == "done")
            let expected = [Array("GET /next ".utf8), [1] + Array("next".utf8), [8, 3, 232]]
            #expect(eventually { frames.withLock { $0.count } == 150 })
            #expect(frames.withLock { $0 } == (0..<50).flatMap { _ in expected })
        }
    #endif
}
