// The library itself, as an application uses it: a thread that blocks for each client, all of them on one loop.

import CMeasure
import LWSWebSocket

@main
struct SwiftLWSClient {
    static func main() {
        let options = bench_parse(CommandLine.argc, CommandLine.unsafeArgv)
        bench_raise_limits()
        do {
            switch String(cString: options.workload) {
            case "connect": try connect(options)
            case "idle": try stayIdle(options)
            case "beside": try besideReceiver(options)
            default: try exchange(options)
            }
        } catch {
            bench_fail("\(error)")
        }
    }

    /// Round trips, sending or receiving, of one client or of many threads.
    private static func exchange(_ options: bench_options) throws {
        let common = MeasuredClient.Common(options)
        let clients = try (0..<options.clients).map { _ in try MeasuredClient(common) }
        if clients.count == 1 {
            try clients[0].run(options.warmup)
            bench_start()
            try clients[0].run(options.count)
            bench_stop()
        } else {
            var work = Work(clients: clients, options: options)
            withUnsafeMutablePointer(to: &work) { work in
                bench_in_threads(
                    options.clients,
                    { index, isMeasured, context in
                        guard let work = context?.assumingMemoryBound(to: Work.self).pointee else { return }
                        do {
                            let options = work.options
                            try work.clients[index].run(isMeasured ? options.count : options.warmup)
                        } catch {
                            bench_fail("\(error)")
                        }
                    }, work)
            }
        }
        report(options, Double(options.count * options.clients))
    }

    private struct Work {
        let clients: [MeasuredClient]
        let options: bench_options
    }

    private static func connect(_ options: bench_options) throws {
        let common = MeasuredClient.Common(options)
        for index in 0..<(options.warmup + options.count) {
            if index == options.warmup { bench_start() }
            let began = bench_now()
            let client = try MeasuredClient(common)
            bench_sample(bench_now() - began)
            if options.tls, index > 0, client.isResumed != options.resume { bench_fail("resumption") }
            try client.close()
        }
        bench_stop()
        report(options, Double(options.count))
    }

    private static func stayIdle(_ options: bench_options) throws {
        bench_note("memory_before", Double(bench_memory()))
        let began = bench_now()
        let clients = openAll(options)
        bench_note("seconds_open", bench_now() - began)
        bench_note("memory_open", Double(bench_memory()))
        bench_note("threads_open", Double(bench_threads()))
        bench_note("seconds_next", try openNext(options))
        guard let last = clients.last else { return }
        try last.run(options.warmup)
        bench_start()
        try last.run(options.count)
        bench_stop()
        report(options, Double(options.count))
        withExtendedLifetime(clients) {}
    }

    /// Seconds that it takes to open one more beside those: the median of some, each of which is closed before the next.
    private static func openNext(_ options: bench_options) throws -> Double {
        let common = MeasuredClient.Common(options)
        let times = try (0..<21).map { _ in
            let began = bench_now()
            let client = try MeasuredClient(common)
            defer { try? client.close() }
            return bench_now() - began
        }
        return times.sorted()[times.count / 2]
    }

    /// As many at once as raw libwebsockets opens.
    private static let openAtOnce = 64

    private static func openAll(_ options: bench_options) -> [MeasuredClient] {
        var opened = [MeasuredClient?](repeating: nil, count: options.clients)
        opened.withUnsafeMutableBufferPointer { places in
            var opening = Opening(common: MeasuredClient.Common(options), places: places)
            withUnsafeMutablePointer(to: &opening) { opening in
                bench_spread(
                    options.clients, openAtOnce,
                    { index, context in
                        guard let opening = context?.assumingMemoryBound(to: Opening.self).pointee else { return }
                        do {
                            opening.places[index] = try MeasuredClient(opening.common)
                        } catch {
                            bench_fail("\(error)")
                        }
                    }, opening)
            }
        }
        return opened.compactMap(\.self)
    }

    private struct Opening {
        let common: MeasuredClient.Common
        let places: UnsafeMutableBufferPointer<MeasuredClient?>
    }

    static func report(_ options: bench_options, _ operations: Double) {
        withUnsafePointer(to: options) { bench_print($0, operations) }
    }
}
