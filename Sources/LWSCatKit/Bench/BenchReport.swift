// What a measurement has found, for people and for programs.

import Histogram

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// The result as it is printed. Times of round trips are microseconds.
struct BenchReport: Codable, Equatable {
    struct RoundTrips: Codable, Equatable {
        var count: UInt64
        var seconds: Double
        var perSecond: Double
        var microseconds: Microseconds
    }

    struct Microseconds: Codable, Equatable {
        var min, mean, p50, p90, p99, p999, max: Double

        enum CodingKeys: String, CodingKey {
            case min, mean, p50, p90, p99, max
            case p999 = "p99.9"
        }
    }

    struct Throughput: Codable, Equatable {
        var messages: Int
        var seconds: Double
        var messagesPerSecond: Double
        /// Of payload, each way.
        var mebibytesPerSecond: Double
    }

    /// The size of a message.
    var bytes: Int
    var roundTrips: RoundTrips
    var throughput: Throughput

    init(size: Int, roundTrips: BenchRun.RoundTrips, throughput: BenchRun.Throughput) {
        bytes = size
        let histogram = roundTrips.histogram
        let seconds = roundTrips.time / .seconds(1)
        func microseconds(_ nanoseconds: UInt64) -> Double { Double(nanoseconds) / 1000 }
        func percentile(_ percentile: Double) -> Double { microseconds(histogram.valueAtPercentile(percentile)) }
        self.roundTrips = RoundTrips(
            count: histogram.totalCount, seconds: seconds,
            perSecond: Self.rate(Double(histogram.totalCount), seconds),
            microseconds: Microseconds(
                min: microseconds(histogram.min), mean: histogram.mean / 1000, p50: percentile(50),
                p90: percentile(90), p99: percentile(99), p999: percentile(99.9), max: microseconds(histogram.max)))
        let time = throughput.time / .seconds(1)
        let messages = Double(throughput.messages)
        self.throughput = Throughput(
            messages: throughput.messages, seconds: time, messagesPerSecond: Self.rate(messages, time),
            mebibytesPerSecond: Self.rate(messages * Double(size) / Double(1 << 20), time))
    }

    private static func rate(_ count: Double, _ seconds: Double) -> Double { seconds > 0 ? count / seconds : 0 }

    /// With its members in the order of their names.
    var json: String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        guard let data = try? encoder.encode(self) else { return "" }
        return String(decoding: data, as: UTF8.self) + "\n"
    }

    var text: String {
        let times = roundTrips.microseconds
        let columns = [
            ("min", times.min), ("mean", times.mean), ("p50", times.p50), ("p90", times.p90), ("p99", times.p99),
            ("p99.9", times.p999), ("max", times.max),
        ]
        let spread = columns.map { "  \(Self.padded($0.0, 6))\(Self.number($0.1)) us\n" }.joined()
        return """
            round trips of \(bytes) bytes: \(roundTrips.count) in \(Self.number(roundTrips.seconds)) s, \
            \(Self.number(roundTrips.perSecond)) a second
            \(spread)throughput: \(throughput.messages) messages in \(Self.number(throughput.seconds)) s, \
            \(Self.number(throughput.messagesPerSecond)) a second, \
            \(Self.number(throughput.mebibytesPerSecond)) MiB/s each way

            """
    }

    /// With one digit behind the point; two where there is little before it.
    private static func number(_ value: Double) -> String {
        let digits = value < 10 ? 100.0 : 10.0
        return "\((value * digits).rounded() / digits)"
    }

    private static func padded(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(0, width - text.count))
    }
}
