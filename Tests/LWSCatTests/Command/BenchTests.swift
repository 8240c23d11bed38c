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
        let result = try Cat("bench", "--json", "-d", "0.3", "--size", "1K", "--no-compression", server.url()).run()
        #expect(result.exit == .code(0))
        #expect(result.errors == "")
        let report = try JSONDecoder().decode(BenchReport.self, from: Data(result.bytes))
        #expect(report.bytes == 1024)
        let times = report.roundTrips.microseconds
        #expect(report.roundTrips.count > 10)
        #expect(report.roundTrips.seconds >= 0.3)
        #expect(times.min > 0)
        #expect(times.min <= times.p50 && times.p50 <= times.p99 && times.p99 <= times.p999)
        #expect(times.p999 <= times.max)
        #expect(report.throughput.messages > 10)
        let rate = Double(report.throughput.messages) / report.throughput.seconds
        #expect(abs(report.throughput.messagesPerSecond / rate - 1) < 0.001)
        #expect(abs(report.throughput.mebibytesPerSecond * 1024 / rate - 1) < 0.001)
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

    @Test("ends within a second by SIGINT")
    func interrupted() throws {
        let server = try EchoServer()
        _ = try Cat("bench", "-d", "60", server.url()).started { running in
            _ = eventually(within: .seconds(20)) { server.connectionCount == 1 }
            let start = ContinuousClock.now
            running.process.send(signal: SIGINT)
            let exit = try running.process.waitForExit()
            #expect(ContinuousClock.now - start < .seconds(1))
            #expect([.code(0), .code(2)].contains(exit))  // 2: the answer to the handshake was still under way
            return exit
        }
    }
}
