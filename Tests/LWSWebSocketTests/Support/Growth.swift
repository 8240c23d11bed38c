// What the process has of descriptors, threads and memory, before and after.

import TestSupport
import Testing

/// Descriptors, threads and memory of this process.
struct ProcessUsage: CustomStringConvertible {
    let descriptors: Int
    let threads: Int
    /// Bytes that malloc has handed out and not got back.
    let memory: Int

    init() throws {
        descriptors = try ProcessMetrics.openDescriptors()
        threads = try ProcessMetrics.threads()
        memory = ProcessMetrics.heapInUse()
    }

    var description: String { "\(descriptors) descriptors, \(threads) threads, \(memory) bytes" }
}

/// What the smallest block takes of malloc's memory, on a system of 64 bits.
private let smallestBlock = 32

/// Runs `cycle` some times to warm up, then `count` times, in two halves, and compares what the process grew by in each.
///
/// Descriptors and threads are back to what they were after each half. Memory that leaks grows in the second half as it
/// did in the first; what was grown into once does not. Where the halves grew alike, up to four more are run: in one of
/// them it has to grow by less than half as much as in the first, or by less than a block of malloc's for each cycle.
///
/// Under a sanitizer, which takes memory of its own and many times as long, a tenth of the cycles has to do: there it is
/// its report that counts. Without the runner, which has glibc keep no freed blocks, memory is not compared either.
func expectNoGrowth(
    _ count: Int, warmUp: Int = 200, sourceLocation: SourceLocation = #_sourceLocation, _ cycle: (Int) throws -> Void
) throws {
    let share = Sanitizer.isActive ? 10 : 1
    let half = max(count / share / 2, 1)
    for index in 0..<warmUp / share { try cycle(index) }
    let before = try ProcessUsage()
    var ends = [before]
    func growth(_ number: Int) -> Int { ends[number].memory - ends[number - 1].memory }
    func isFlat(_ number: Int) -> Bool { growth(number) < half * smallestBlock || growth(number) * 2 < growth(1) }
    repeat {
        for index in 0..<half { try cycle(index) }
        let settled = eventually {
            guard let now = try? ProcessUsage() else { return false }
            return now.descriptors <= before.descriptors && now.threads <= before.threads
        }
        ends.append(try ProcessUsage())
        #expect(settled, "\(ends)", sourceLocation: sourceLocation)
        guard settled else { return }
    } while ends.count < 3 || (ProcessMetrics.isHeapExact && !isFlat(ends.count - 1) && ends.count < 7)
    let last = ends.count - 1
    #expect(!ProcessMetrics.isHeapExact || isFlat(last), "after each half: \(ends)", sourceLocation: sourceLocation)
}
