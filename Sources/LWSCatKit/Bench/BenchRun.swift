// The measuring itself.

import Histogram
import LWSServiceLoop
import LWSWebSocket

/// Why there is nothing to report.
enum BenchProblem: Error, CustomStringConvertible {
    case client(WebSocketError)
    case notAnEcho
    case noThread(LoopError)

    var description: String {
        switch self {
        case .client(let error) where error.code == .readTimedOut: "\(error); does the server echo?"
        case .client(let error): error.description
        case .notAnEcho: "the server sends something else than it was sent; it has to echo"
        case .noThread(let error): error.description
        }
    }
}

/// Measures one connection.
struct BenchRun: Sendable {
    let client: WebSocketClient
    /// Bytes of a message.
    let size: Int
    /// Of each part.
    let duration: Duration
    let bar: ProgressBar?

    /// What round trips took, in nanoseconds.
    struct RoundTrips {
        var histogram = Histogram<UInt64>(
            highestTrackableValue: 3_600_000_000_000, numberOfSignificantValueDigits: .three)
        var time = Duration.zero
    }

    struct Throughput {
        var messages = 0
        var time = Duration.zero
    }

    /// One message at a time.
    func roundTrips(warmUp: Int) throws(BenchProblem) -> RoundTrips {
        var result = RoundTrips()
        let payload = Self.randomBytes(size)
        for _ in 0..<warmUp { try echo(payload) }
        let start = ContinuousClock.now
        var last = start
        repeat {
            try echo(payload)
            let now = ContinuousClock.now
            result.histogram.record(UInt64((now - last) / .nanoseconds(1)))
            last = now
            bar?.show("round trips", (now - start) / duration, "\(result.histogram.totalCount)")
        } while last - start < duration
        result.time = last - start
        return result
    }

    private func echo(_ payload: [UInt8]) throws(BenchProblem) {
        let message: WebSocketMessage
        do throws(WebSocketError) {
            try client.writeBinaryMessage(payload)
            message = try client.readMessage()
        } catch {
            throw .client(error)
        }
        guard message == .binary(payload) else { throw .notAnEcho }
    }

    /// As many messages as the connection takes: one thread sends, this one receives. What counts is what comes back.
    func throughput() throws(BenchProblem) -> Throughput {
        let failure = Locked<WebSocketError?>(nil)
        let start = ContinuousClock.now
        let sender = try startSending(until: start + duration, failure)
        var result = Throughput()
        do throws(BenchProblem) {
            while try receive(&result) {
                result.time = ContinuousClock.now - start
                bar?.show("throughput", result.time / duration, "\(result.messages)")
            }
        } catch {
            // The sender may be held up by a peer that takes nothing; closing the client ends it.
            _ = try? client.close(timeout: .seconds(1))
            sender.join()
            throw failure.withLock { $0 }.map(BenchProblem.client) ?? error
        }
        sender.join()
        return result
    }

    /// What is sent behind the last message: it comes back when everything has.
    private static let endMark = "end"

    private func startSending(
        until end: ContinuousClock.Instant, _ failure: Locked<WebSocketError?>
    ) throws(BenchProblem) -> LoopThread {
        let message = WebSocketMessage.binary(Self.randomBytes(size))
        let batch = [WebSocketMessage](repeating: message, count: max(1, min(64, (1 << 16) / max(1, size))))
        do throws(LoopError) {
            return try LoopThread(name: "lwscat-bench") { [client] in
                do throws(WebSocketError) {
                    repeat { try client.writeMessages(batch) } while ContinuousClock.now < end
                    try client.writeTextMessage(Self.endMark)
                } catch {
                    failure.withLock { $0 = error }
                }
            }
        } catch {
            throw .noThread(error)
        }
    }

    /// Returns false behind the last message.
    private func receive(_ result: inout Throughput) throws(BenchProblem) -> Bool {
        let message: WebSocketMessage
        do throws(WebSocketError) { message = try client.readMessage() } catch { throw .client(error) }
        switch message {
        case .text(Self.endMark): return false
        case .binary(let bytes) where bytes.count == size:
            result.messages += 1
            return true
        default: throw .notAnEcho
        }
    }

    private static func randomBytes(_ count: Int) -> [UInt8] {
        var generator = SystemRandomNumberGenerator()
        return (0..<count).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
    }
}

// MARK: - How far the measuring is

/// A bar in the last row of a terminal. Where there is none, nothing is shown.
struct ProgressBar: Sendable {
    private let descriptor: Descriptor
    private let last = Locked<ContinuousClock.Instant?>(nil)

    private static let width = 30
    /// Often enough to look alive, and seldom enough not to be measured.
    private static let pause = Duration.milliseconds(100)

    /// `nil`: it is no terminal.
    init?(_ descriptor: Descriptor) {
        guard descriptor.isTerminal else { return nil }
        self.descriptor = descriptor
    }

    /// Shows it, unless that has been done just now.
    /// - Parameter fraction: of the whole, from 0 to 1.
    func show(_ name: String, _ fraction: Double, _ count: @autoclosure () -> String) {
        let now = ContinuousClock.now
        let isDue = last.withLock { last in
            if let last, now - last < Self.pause { return false }
            last = now
            return true
        }
        if isDue { descriptor.write("\r\u{1b}[K" + Self.row(name, fraction, count())) }
    }

    func clear() { descriptor.write("\r\u{1b}[K") }

    static func row(_ name: String, _ fraction: Double, _ count: String) -> String {
        let fraction = min(1, max(0, fraction))
        let full = Int(fraction * Double(width))
        let bar = String(repeating: "#", count: full) + String(repeating: ".", count: width - full)
        let percent = String(Int(fraction * 100))
        return "\(name) [\(bar)] \(String(repeating: " ", count: 3 - percent.count))\(percent) %  \(count)"
    }
}
