// The scripted server does what scripts ask of it, and leaves nothing behind.

import Foundation
import LWSServiceLoop
import TestSupport
import Testing

@Suite("RawServer", .serialized)
struct RawServerTests {
    @Test("The accept value of RFC 6455's sample key")
    func sampleKey() {
        #expect(RawConnection.accept(for: "dGhlIHNhbXBsZSBub25jZQ==") == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")
    }

    @Test("A frame of every length form, and everything after it, arrives as it was sent")
    func frames() throws {
        for length in [0, 125, 126, 65535, 65536] {
            let sent = RawFrame(fin: false, rsv: 5, opcode: 2, payload: [UInt8](repeating: 7, count: length))
            let server = try RawServer { connection in
                connection.send(sent.serverBytes)
                connection.send("rest")
            }
            let client = try RawClient(port: server.port)
            #expect(try client.connection.readFrame() == sent)
            #expect(client.connection.readUntilEnd() == Array("rest".utf8))
        }
    }

    @Test("An upgrade is answered, and a masked frame read")
    func upgrade() throws {
        let received = Locked<RawFrame?>(nil)
        let done = MonotonicSemaphore()
        let server = try RawServer { connection in
            let head = try? connection.acceptUpgrade(extraHeaders: ["X-Test: yes"])
            if head?.hasPrefix("GET /chat ") == true {
                let frame = try? connection.readFrame()
                received.withLock { $0 = frame }
            }
            done.signal()
        }
        let client = try RawClient(port: server.port)
        client.connection.send(
            "GET /chat HTTP/1.1\r\nHost: x\r\nsec-websocket-key:dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
        let answer = try client.connection.readRequestHead()
        #expect(answer.hasPrefix("HTTP/1.1 101 "))
        #expect(RawConnection.field("Sec-WebSocket-Accept", in: answer) == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")
        #expect(RawConnection.field("x-test", in: answer) == "yes")
        client.connection.send([0x81, 0x82, 1, 2, 3, 4, UInt8(ascii: "h") ^ 1, UInt8(ascii: "i") ^ 2])
        #expect(done.wait(until: Deadline(after: Timing.ages)))
        #expect(received.withLock { $0 } == RawFrame(opcode: 1, masked: true, payload: Array("hi".utf8)))
    }

    @Test("A reset is seen as a reset, an end as an end")
    func endings() throws {
        let resetting = try RawServer { $0.reset() }
        let first = try RawClient(port: resetting.port)
        #expect(first.readResult() == .failed(ECONNRESET))
        let closing = try RawServer { $0.closeConnection() }
        let second = try RawClient(port: closing.port)
        #expect(second.readResult() == .ended)
    }

    @Test("Stopping wakes every script and frees every thread and descriptor")
    func stopping() throws {
        let descriptors = try ProcessMetrics.openDescriptors()
        let threads = try ProcessMetrics.threads()
        for _ in 0..<20 {
            let running = MonotonicSemaphore()
            let server = try RawServer { connection in
                running.signal()
                connection.hold()
            }
            let reading = try RawServer { connection in
                running.signal()
                connection.waitForEnd()
            }
            let clients = try [server, server, reading].map { try RawClient(port: $0.port) }
            for _ in clients { #expect(running.wait(until: Deadline(after: Timing.ages))) }
            server.stop()
            server.stop()
            reading.stop()
            #expect(clients.allSatisfy { $0.connection.readUntilEnd().isEmpty })
        }
        // Other suites run meanwhile: what counts is that nothing of these twenty rounds stays.
        #expect(eventually { (try? ProcessMetrics.openDescriptors()) ?? .max < descriptors + 20 })
        #expect(eventually { (try? ProcessMetrics.threads()) ?? .max < threads + 20 })
    }
}
