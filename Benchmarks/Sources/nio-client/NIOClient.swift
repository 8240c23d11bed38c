// A client on SwiftNIO's NIOWebSocket, in both of the ways in which it can be used: with a thread that blocks, and
// event-driven (--events).

import CMeasure
import NIOCore
import NIOPosix

@main
struct NIOClient {
    static func main() {
        let options = Options(bench_parse(CommandLine.argc, CommandLine.unsafeArgv))
        if options.compress { bench_fail("NIOWebSocket has no compression") }
        bench_raise_limits()
        do {
            let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
            let connector = try Connector(options, group)
            switch options.workload {
            case "connect": try connect(options, connector)
            case "idle": try stayIdle(options, connector)
            case _ where options.events: try exchangeByEvents(options, connector)
            default: try exchangeByThreads(options, connector)
            }
        } catch {
            bench_fail("\(error)")
        }
    }

    private static func exchangeByEvents(_ options: Options, _ connector: Connector) throws {
        let run = EventRun(options, on: connector.loop)
        for _ in 0..<options.clients { _ = try connector.connect { EventHandler(run) } }
        try run.perform()
        options.report(Double(options.count * options.clients))
    }

    private static func exchangeByThreads(_ options: Options, _ connector: Connector) throws {
        let clients = try (0..<options.clients).map { _ in try BlockingClient(options, connector) }
        if clients.count == 1 {
            try measure(clients[0], options)
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
        options.report(Double(options.count * options.clients))
    }

    private struct Work {
        let clients: [BlockingClient]
        let options: Options
    }

    private static func measure(_ client: BlockingClient, _ options: Options) throws {
        try client.run(options.warmup)
        bench_start()
        try client.run(options.count)
        bench_stop()
    }

    private static func connect(_ options: Options, _ connector: Connector) throws {
        for index in 0..<(options.warmup + options.count) {
            if index == options.warmup { bench_start() }
            let began = bench_now()
            let client = try BlockingClient(options, connector)
            bench_sample(bench_now() - began)
            try client.close()
        }
        bench_stop()
        options.report(Double(options.count))
    }

    private static func stayIdle(_ options: Options, _ connector: Connector) throws {
        bench_note("memory_before", Double(bench_memory()))
        let began = bench_now()
        let clients = try (0..<options.clients).map { _ in try BlockingClient(options, connector) }
        bench_note("seconds_open", bench_now() - began)
        bench_note("memory_open", Double(bench_memory()))
        bench_note("threads_open", Double(bench_threads()))
        guard let last = clients.last else { return }
        try measure(last, options)
        options.report(Double(options.count))
    }
}
