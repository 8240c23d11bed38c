// A server that sends more than the application reads.

import LWSEchoServer
import LWSServiceLoop
import TestSupport
import Testing

@testable import LWSWebSocket

@Suite("Back-pressure", .serialized)
struct FlowControlTests {
    @Test("keeps a client that does not read under 64 MiB while a server pushes 1 GB, and loses nothing of it")
    func push() throws {
        let server = try EchoServer()
        let (count, size) = (16384, 65536)
        let before = try ProcessMetrics.residentMemory()
        let client = try WebSocketClient(server.url("/push/\(count)/\(size)"))
        #expect(eventually { client.inside.isPaused })
        // Time in which an unlimited queue would take in hundreds of megabytes.
        _ = MonotonicSemaphore().wait(until: Deadline(after: .seconds(2)))
        var peak = try ProcessMetrics.residentMemory() - before
        // The loop serves others, and control frames and messages of this client go out.
        try client.ping([1])
        try client.writeTextMessage("sent while nothing is read")
        let other = try WebSocketClient(server.url())
        try other.writeTextMessage("other")
        #expect(try other.readTextMessage() == "other")
        try client.readPushed(count, of: size) { index in
            if index % 256 == 0 { peak = max(peak, try ProcessMetrics.residentMemory() - before) }
        }
        #expect(Sanitizer.isActive || peak < 64 << 20, "\(peak >> 20) MiB")
        #expect(try client.readTextMessage() == "sent while nothing is read")
        try client.close()
    }

    @Test("stops at its limit of messages too, and goes on when they are read")
    func manySmall() throws {
        let server = try EchoServer()
        let count = 100_000
        let client = try WebSocketClient(server.url("/push/\(count)/1"))
        #expect(eventually { client.inside.isPaused })
        for index in 0..<count {
            let message = try client.readBinaryMessage()
            if message != [UInt8(truncatingIfNeeded: index)] { Issue.record("message \(index) is wrong") }
        }
        try client.close()
    }

    @Test("does not keep close from seeing the peer's close frame")
    func close() throws {
        let server = try EchoServer()
        let client = try WebSocketClient(server.url("/push/2000/65536"))
        #expect(eventually { client.inside.isPaused })
        let time = try Timing.of { try client.close(timeout: Timing.ages) }
        #expect(time < Timing.ages, "it waited for its limit")
        #expect(client.inside.receivedClose?.code == 1000)
    }
}
