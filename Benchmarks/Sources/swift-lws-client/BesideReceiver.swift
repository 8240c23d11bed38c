// How long one client is held up by another on the same loop, which receives without pause.

import CMeasure
import Glibc
import LWSWebSocket
import Synchronization

/// The client that is measured is done.
private let isOver = Atomic<Bool>(false)

private struct Pair {
    /// Makes round trips of 64 bytes.
    let measured: MeasuredClient
    let receiver: MeasuredClient
    let options: bench_options
}

extension SwiftLWSClient {
    /// The size in the options is that of the messages that the other client receives.
    static func besideReceiver(_ options: bench_options) throws {
        var (small, blast) = (options, options)
        small.size = 64
        blast.workload = UnsafePointer(strdup("receive"))
        blast.path = UnsafePointer(strdup("/blast/\(options.size)/1"))
        var pair = Pair(
            measured: try MeasuredClient(.init(small)), receiver: try MeasuredClient(.init(blast)), options: options)
        withUnsafeMutablePointer(to: &pair) { pair in
            bench_in_threads(
                2,
                { index, isMeasured, context in
                    guard let pair = context?.assumingMemoryBound(to: Pair.self).pointee else { return }
                    do {
                        if index == 0 { try pair.makeRoundTrips(isMeasured) } else { try pair.receive(isMeasured) }
                    } catch {
                        bench_fail("\(error)")
                    }
                }, pair)
        }
        report(options, Double(options.count))
    }
}

extension Pair {
    fileprivate func makeRoundTrips(_ isMeasured: Bool) throws {
        guard isMeasured else { return try measured.run(options.warmup) }
        for _ in 0..<options.count {
            let began = bench_now()
            try measured.run(1)
            bench_sample(bench_now() - began)
        }
        isOver.store(true, ordering: .relaxed)
    }

    fileprivate func receive(_ isMeasured: Bool) throws {
        let some = max(16, (4 << 20) / max(options.size, 16))
        guard isMeasured else { return try receiver.run(some) }
        while !isOver.load(ordering: .relaxed) { try receiver.run(some) }
    }
}
