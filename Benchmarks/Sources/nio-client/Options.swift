// The command line, in Swift's types.

import CMeasure

struct Options: Sendable {
    let workload, host, path: String
    let ca: String?
    let port, size, count, warmup, clients, batch: Int
    let tls, compress, events: Bool

    init(_ options: bench_options) {
        workload = String(cString: options.workload)
        host = String(cString: options.host)
        path = String(cString: options.path)
        ca = options.ca.map { String(cString: $0) }
        port = Int(options.port)
        (size, count, warmup) = (options.size, options.count, options.warmup)
        (clients, batch) = (options.clients, options.batch)
        (tls, compress, events) = (options.tls, options.compress, options.events)
    }

    /// Prints the line of results.
    func report(_ operations: Double) {
        var options = bench_parse(CommandLine.argc, CommandLine.unsafeArgv)
        bench_print(&options, operations)
    }
}
