// Memory, threads and descriptors over time.

import TestSupport

/// Samples of this process, and whether it has grown.
struct Vitals {
    struct Verdict {
        let words: String
        let isFine: Bool
    }

    private struct Sample {
        let memory: Int
        let threads: Int
        let descriptors: Int
    }

    private let start = ContinuousClock.now
    private var samples: [Sample] = []

    var seconds: Int { Int((ContinuousClock.now - start) / .seconds(1)) }

    var line: String {
        guard let last = samples.last else { return "no sample yet" }
        return "\(last.memory >> 20) MB, \(last.threads) threads, \(last.descriptors) descriptors"
    }

    mutating func sample() {
        guard let memory = try? ProcessMetrics.residentMemory(), let threads = try? ProcessMetrics.threads(),
            let descriptors = try? ProcessMetrics.openDescriptors()
        else { return }
        samples.append(Sample(memory: memory, threads: threads, descriptors: descriptors))
    }

    /// Compares the medians of the second quarter and of the last: the first is for warming up.
    func verdicts() -> [Verdict] {
        let quarter = samples.count / 4
        guard quarter >= 2 else { return [Verdict(words: "too short to say whether it grows", isFine: true)] }
        let (early, late) = (samples[quarter..<2 * quarter], samples.suffix(quarter))
        func verdict(_ what: String, _ value: (Sample) -> Int, tolerance: (Int) -> Int) -> Verdict {
            let (before, after) = (median(early.map(value)), median(late.map(value)))
            let isFine = after <= before + tolerance(before)
            return Verdict(
                words: "\(isFine ? "flat" : "GROWS"): \(what) \(before) in the second quarter, \(after) in the last",
                isFine: isFine)
        }
        return [
            // Clients with large messages under way come and go.
            verdict("MB", { $0.memory >> 20 }, tolerance: { max(16, $0 / 10) }),
            verdict("threads", \.threads, tolerance: { _ in 8 }),
            verdict("descriptors", \.descriptors, tolerance: { $0 / 20 + 8 }),
        ]
    }

    private func median(_ values: [Int]) -> Int { values.sorted()[values.count / 2] }
}
