// What the process has of descriptors, threads and memory, before and after.

import TestSupport
import Testing

/// Descriptors, threads and memory of this process.
struct ProcessUsage: CustomStringConvertible {
    let descriptors: Int
    let threads: Int
    let memory: Int

    init() throws {
        descriptors = try ProcessMetrics.openDescriptors()
        threads = try ProcessMetrics.threads()
        memory = try ProcessMetrics.residentMemory()
    }

    var description: String { "\(descriptors) descriptors, \(threads) threads, \(memory >> 10) KiB" }
}

/// Runs `cycle` some times to warm up, then `count` times, and compares.
/// Under a sanitizer, which takes memory of its own and many times as long, a tenth of the cycles has to do: there it is
/// its report that counts.
/// - Parameter memory: bytes by which the process may grow.
func expectNoGrowth(_ count: Int, memory: Int, warmUp: Int = 200, _ cycle: (Int) throws -> Void) throws {
    let share = Sanitizer.isActive ? 10 : 1
    for index in 0..<warmUp / share { try cycle(index) }
    let before = try ProcessUsage()
    for index in 0..<count / share { try cycle(index) }
    let settled = eventually(within: .seconds(10)) {
        guard let now = try? ProcessUsage() else { return false }
        return now.descriptors <= before.descriptors && now.threads <= before.threads
    }
    let after = try ProcessUsage()
    let comparison = Comment("before: \(before); after: \(after)")
    #expect(settled, comparison)
    #expect(Sanitizer.isActive || after.memory - before.memory < memory, comparison)
}
