// Frames that a server has seen, and when it has seen them all.

import LWSServiceLoop
import TestSupport

final class Seen: Sendable {
    private let frames = Locked<[RawFrame]>([])
    private let finished = MonotonicSemaphore()

    func add(_ frame: RawFrame) { frames.withLock { $0.append(frame) } }
    func done() { finished.signal() }

    /// Reads so many, or as many as come.
    func read(_ count: Int, from peer: RawConnection) {
        for _ in 0..<count {
            guard let frame = try? peer.readFrame() else { return }
            add(frame)
        }
    }

    /// All of them, once there are no more.
    func all() throws -> [RawFrame] {
        guard finished.wait(until: Deadline(after: Timing.ages)) else { throw StillRunning(limit: Timing.ages) }
        finished.signal()
        return frames.withLock { $0 }
    }
}
