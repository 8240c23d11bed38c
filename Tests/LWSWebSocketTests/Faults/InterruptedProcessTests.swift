// Programs that end as soon as their reader is told of the end.

import Foundation
import LWSServiceLoop
import TestSupport
import Testing

@testable import LWSWebSocket

@Suite("A process that ends with its connection", .serialized)
struct InterruptedProcessTests {
    /// What the server does when it has the connection.
    enum Server: CaseIterable, CustomTestStringConvertible {
        case answersTheClose, doesNotAnswer, closes

        var testDescription: String { "\(self)" }
    }

    /// Starts the probe, interrupts it when its connection is open, unless the server closes, and returns the close frame that
    /// came of it.
    private func closeFrame(of mode: String, _ behaviour: Server) throws -> RawFrame? {
        let received = Locked<RawFrame?>(nil)
        let (isOpen, isOver) = (MonotonicSemaphore(), MonotonicSemaphore())
        let server = try RawServer { peer in
            defer { isOver.signal() }
            guard (try? peer.acceptUpgrade()) != nil else { return }
            if behaviour == .closes {
                peer.sendFrame(opcode: 8, Self.goodbye)
            } else {
                // Before it is open, there is nothing to be closed with a frame.
                peer.sendFrame(opcode: 9)
                guard (try? peer.readFrame())?.opcode == 10 else { return }
            }
            isOpen.signal()
            guard let frame = try? peer.readFrame() else { return }
            received.withLock { $0 = frame }
            if behaviour == .answersTheClose { peer.sendFrame(opcode: 8, frame.payload) }
            if behaviour != .closes { peer.waitForEnd() }
        }
        defer { server.stop() }
        let settings = ["PROBE_MODE=\(mode)", "PROBE_URL=\(server.url())"]
        let probe = try PeerProcess("/usr/bin/env", settings + [try BuiltProgram.path("lws-process-probe")])
        defer { probe.stop() }
        try #require(isOpen.wait(until: Deadline(after: Timing.ages)))
        if behaviour != .closes { probe.send(signal: SIGINT) }
        #expect(try probe.waitForExit() == .code(0), "\(probe.output)")
        #expect(isOver.wait(until: Deadline(after: Timing.ages)))
        return received.withLock { $0 }
    }

    private static let goodbye: [UInt8] = [0x0f, 0xa0] + Array("enough".utf8)

    @Test("sends its close frame each time, by the README's way with SIGINT")
    func readme() throws {
        for _ in 0..<200 {
            #expect(try closeFrame(of: "interrupted", .answersTheClose)?.closeCode == 1001)
        }
    }

    @Test("has sent its close frame, or its answer, before its reader is told", arguments: Server.allCases)
    func returns(_ behaviour: Server) throws {
        for _ in 0..<50 {
            let frame = try #require(try closeFrame(of: "returns", behaviour))
            #expect(frame.opcode == 8)
            #expect(behaviour == .closes ? frame.payload == Self.goodbye : frame.closeCode == 1001)
        }
    }
}
