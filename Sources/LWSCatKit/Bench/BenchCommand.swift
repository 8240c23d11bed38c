// Bench/: `lwscat bench`.
//
// Holds: the command, the measuring, and what is shown of it.
// Used by: Command.
// Uses: Options, Session, Terminal; ArgumentParser, Histogram, LWSServiceLoop, LWSWebSocket.

import ArgumentParser
import LWSServiceLoop
import LWSWebSocket

struct BenchCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench",
        abstract: "Measure a server that echoes: round trips, then throughput.",
        usage: "lwscat bench [<options>] <url>",
        discussion: """
            Sends binary messages of random bytes to a server that has to send each back. First one at a time, which gives \
            the times of round trips, then as many as the connection takes. Ctrl-C ends it without a result.

            \(ExitStatus.help)
            """
    )

    @Argument(help: "Where the server is, as for 'lwscat URL'.")
    var url: String

    @Option(
        name: [.customShort("d"), .customLong("duration")],
        help: .init("How long each of the two parts takes.", valueName: "seconds"))
    var duration = 5.0

    @Option(
        name: .customLong("size"),
        help: .init("The size of a message; K and M are multiples.", valueName: "bytes"))
    var size = ByteCount(64)

    @Option(
        name: .customLong("warm-up"),
        help: .init("Round trips before those that count.", valueName: "n"))
    var warmUp = 100

    @Flag(name: [.customShort("j"), .customLong("json")], help: "Prints the result as JSON.")
    var isJSON = false

    @Flag(name: .customLong("no-progress"), help: "Shows no progress bar; without a terminal there is none anyway.")
    var isSilent = false

    @OptionGroup var connection: ConnectionOptions

    func validate() throws {
        guard duration > 0, duration < 1e6 else { throw ValidationError("--duration is a number of seconds") }
        guard let bytes = size.bytes, bytes <= 64 << 20 else {
            throw ValidationError("--size is a number of bytes up to 64M")
        }
        guard warmUp >= 0 else { throw ValidationError("--warm-up is not negative") }
    }

    func run() throws {
        var configuration = try connection.configuration()
        // A server that does not echo shall not be waited for without end.
        if configuration.readTimeout == nil { configuration.readTimeout = .seconds(10) }
        let watch = SignalWatch()
        let client = try Self.client(ConnectionOptions.url(url), configuration)
        let closer = Closer(client)
        let hasOpened = Locked(false)
        try watch.start {
            _ = try? closer.close(timeout: SignalWatch.patience)
        } leave: {
            (hasOpened.withLock { $0 } ? ExitStatus.closedNormally : .cannotConnect).leave()
        }
        do throws(WebSocketError) { try client.connect() } catch {
            guard !closer.hasBegun else { ExitStatus.cannotConnect.leave() }
            throw Failure(connecting: error)
        }
        hasOpened.withLock { $0 = true }
        let bar = isSilent ? nil : ProgressBar(.errors)
        let bench = BenchRun(client: client, size: size.bytes ?? 0, duration: .seconds(duration), bar: bar)
        let report = try measure(bench, closer)
        bar?.clear()
        Descriptor.output.write(isJSON ? report.json : report.text)
        guard (try? closer.close(timeout: .seconds(5))) == true else {
            throw Failure(.closedAbnormally, "the server did not answer the close frame within 5 seconds")
        }
    }

    private static func client(
        _ url: String, _ configuration: ClientConfiguration
    ) throws(Failure) -> WebSocketClient {
        do throws(WebSocketError) {
            return try WebSocketClient(unconnected: url, configuration: configuration)
        } catch {
            throw Failure(connecting: error)
        }
    }

    private func measure(_ bench: BenchRun, _ closer: Closer) throws(Failure) -> BenchReport {
        do throws(BenchProblem) {
            return BenchReport(
                size: bench.size, roundTrips: try bench.roundTrips(warmUp: warmUp),
                throughput: try bench.throughput())
        } catch {
            bench.bar?.clear()
            // Ctrl-C: the other thread ends the process, or this one does.
            if closer.hasBegun {
                closer.wait(atMost: SignalWatch.patience)
                ExitStatus.closedNormally.leave()
            }
            _ = try? closer.close(timeout: .seconds(1))
            throw Failure(.closedAbnormally, error.description)
        }
    }
}
