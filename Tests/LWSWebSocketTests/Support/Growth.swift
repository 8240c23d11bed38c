// What the process has of descriptors, threads and memory, before and after.

import TestSupport
import Testing

/// Descriptors, threads and memory of this process.
struct ProcessUsage: CustomStringConvertible {
    let descriptors: Int
    let threads: Int
    /// That malloc has handed out and not got back; `nil` where they are not counted.
    let blocks: Int?

    init() throws {
        descriptors = try ProcessMetrics.openDescriptors()
        threads = try ProcessMetrics.threads()
        blocks = ProcessMetrics.blocksInUse()
    }

    /// Waits until the process has no more descriptors and threads than it had `before`, but for some to `spare`. Returns whether
    /// that came.
    static func isBack(to before: ProcessUsage, sparing spare: Int = 0) -> Bool {
        eventually {
            guard let now = try? ProcessUsage() else { return false }
            return now.descriptors <= before.descriptors + spare && now.threads <= before.threads + spare
        }
    }

    var description: String {
        "\(descriptors) descriptors, \(threads) threads" + (blocks.map { ", \($0) blocks" } ?? "")
    }
}

/// Runs `cycle` some times to warm up, then `count` times, in two halves, and compares what the process has after each.
///
/// Descriptors and threads are back to what they were after each half. What leaks a block of memory in each cycle has, in
/// each half, one more for each of its cycles, less what is freed elsewhere meanwhile: up to a tenth. What is grown into once
/// has not: where there are so many more, up to four more halves are run, and one of them has to be without.
///
/// Under a sanitizer, which has a malloc of its own and takes many times as long, a tenth of the cycles has to do: there it
/// is its report that counts.
func expectNoGrowth(
    _ count: Int, warmUp: Int = 200, sourceLocation: SourceLocation = #_sourceLocation, _ cycle: (Int) throws -> Void
) throws {
    let share = Sanitizer.isActive ? 10 : 1
    let half = max(count / share / 2, 1)
    try ProcessMetrics.withoutNotesOfErrors {
        for index in 0..<warmUp / share { try cycle(index) }
        let before = try ProcessUsage()
        var ends = [before]
        func isFlat(_ now: ProcessUsage) -> Bool {
            guard let blocks = now.blocks, let last = ends.last?.blocks else { return true }
            return blocks < last + max(half * 9 / 10, 1)
        }
        var wasFlat = false
        repeat {
            for index in 0..<half { try cycle(index) }
            let settled = ProcessUsage.isBack(to: before)
            let end = try ProcessUsage()
            wasFlat = isFlat(end)
            ends.append(end)
            #expect(settled, "\(ends)", sourceLocation: sourceLocation)
            guard settled else { return }
        } while ends.count < 3 || (!wasFlat && ends.count < 7)
        #expect(wasFlat, "after each half: \(ends)", sourceLocation: sourceLocation)
    }
}
