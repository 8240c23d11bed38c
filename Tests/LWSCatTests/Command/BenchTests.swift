// lwscat bench.

import Foundation
import LWSEchoServer
import TestSupport
import Testing

@testable import LWSCatKit

@Suite("Measuring", .serialized)
struct BenchTests {
    @Test("prints JSON that adds up")
    func json() throws {
        let server = try EchoServer()
        var seconds = 0.3
        var report = try report(of: server, lasting: seconds)
        // A busy machine may not do enough in so short a time.
        for longer in [3.0, 20] where report.roundTrips.count <= 10 || report.throughput.messages <= 10 {
            seconds = longer
            report = try self.report(of: server, lasting: seconds)
        }
        #expect(report.bytes == 1024)
        let times = report.roundTrips.microseconds
        #expect(report.roundTrips.count > 10)
        #expect(report.roundTrips.seconds >= seconds)
        #expect(times.min > 0)
        #expect(times.min <= times.p50 && times.p50 <= times.p99 && times.p99 <= times.p999)
        #expect(times.p999 <= times.max)
        #expect(report.throughput.messages > 10)
        let rate = Double(report.throughput.messages) / report.throughput.seconds
        #expect(abs(report.throughput.messagesPerSecond / rate - 1) < 0.001)
        #expect(abs(report.throughput.mebibytesPerSecond * 1024 / rate - 1) < 0.001)
    }

    private func report(of server: EchoServer, lasting seconds: Double) throws -> BenchReport {
        let cat = Cat("bench", "--json", "-d", "\(seconds)", "--size", "1K", "--no-compression", server.url())
        let result = try cat.run(within: .seconds(300))
        #expect(result.exit == .code(0))
        #expect(result.errors == "")
        return try JSONDecoder().decode(BenchReport.self, from: Data(result.bytes))
    }

    @Test("prints a table for people")
    func text() throws {
        let server = try EchoServer()
        let result = try Cat("bench", "-d", "0.1", server.url()).run()
        #expect(result.exit == .code(0))
        for text in ["round trips of 64 bytes", "  p50 ", "  p99 ", "  p99.9 ", "throughput: "] {
            #expect(result.output.contains(text))
        }
    }

    @Test("says so where the server does not echo, and ends with 3")
    func notAnEcho() throws {
        let server = try EchoServer()
        let other = try Cat("bench", "-d", "0.1", server.url("/push/1/5")).run()
        #expect(other.exit == .code(3))
        #expect(other.errors.contains("it has to echo"))
        let silent = try Cat("bench", "-d", "0.1", "--read-timeout", "0.1", server.url("/silent")).run()
        #expect(silent.exit == .code(3))
        #expect(silent.errors.contains("does the server echo?"))
        #expect(try Cat("bench", server.url("/refuse/404")).run().exit == .code(2))
    }

    @Test("ends at once by SIGINT")
    func interrupted() throws {
        let server = try EchoServer()
        _ = try Cat("bench", "-d", "600", server.url()).started { running in
            _ = eventually { server.connectionCount == 1 }
            let start = ContinuousClock.now
            running.process.send(signal: SIGINT)
            let exit = try running.process.waitForExit()
            #expect(ContinuousClock.now - start < Timing.atOnce)
            #expect([.code(0), .code(2)].contains(exit))  // 2: the answer to the handshake was still under way
            return exit
        }
    }
}
