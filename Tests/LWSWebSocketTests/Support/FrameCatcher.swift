// Servers that catch what a client sends.

import LWSServiceLoop
import TestSupport
import Testing

@testable import LWSWebSocket

/// A server that accepts the upgrade, hands what it reads to the test, and answers a close frame with its own.
struct FrameCatcher {
    let server: RawServer
    private let frames = Locked<[RawFrame]>([])
    private let caught = MonotonicSemaphore()

    init() throws {
        let (frames, caught) = (frames, caught)
        server = try RawServer { peer in
            _ = try? peer.acceptUpgrade()
            while let frame = try? peer.readFrame() {
                frames.withLock { $0.append(frame) }
                if frame.opcode == 8 { peer.sendFrame(opcode: 8, frame.payload) }
                caught.signal()
            }
        }
    }

    /// The next `count` frames.
    func next(_ count: Int) throws -> [RawFrame] {
        for _ in 0..<count {
            guard caught.wait(until: Deadline(after: Timing.ages)) else { throw StillRunning(limit: Timing.ages) }
        }
        return frames.withLock { frames in
            defer { frames.removeFirst(count) }
            return Array(frames.prefix(count))
        }
    }
}

/// A server that accepts the upgrade and then reads nothing until it is told to.
final class StallingServer: Sendable {
    let server: RawServer
    /// Bytes of payload read.
    let received = Locked(0)
    private let mayRead: MonotonicSemaphore

    init() throws {
        let gate = MonotonicSemaphore()
        mayRead = gate
        server = try RawServer { [received] peer in
            _ = try? peer.acceptUpgrade()
            // Longer than any wait that a test has to tell from what happens at once.
            _ = gate.wait(until: Deadline(after: Timing.ages * 2))
            // For the next connection.
            gate.signal()
            while let frame = try? peer.readFrame() {
                if frame.opcode == 8 {
                    peer.sendFrame(opcode: 8, frame.payload)
                } else {
                    received.withLock { $0 += frame.payload.count }
                }
            }
        }
    }

    func url() -> String { server.url() }

    /// A write to this server that has begun and cannot go on.
    func stuckWrite(on client: WebSocketClient) throws -> Background<Void> {
        let writing = try Background { try client.writeBinaryMessage([UInt8](repeating: 7, count: Self.tooMuch)) }
        #expect(eventually { client.inside.isInsideMessage })
        #expect(writing.isBlocked())
        return writing
    }

    /// More bytes than the operating system takes while nobody reads.
    static let tooMuch = 32 << 20
    func readOn() { mayRead.signal() }
    deinit { mayRead.signal() }
}
