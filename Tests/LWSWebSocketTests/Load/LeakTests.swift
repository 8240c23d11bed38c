// What is left behind after many connections.

import LWSServiceLoop
import TestSupport
import Testing

@testable import LWSWebSocket

@Suite("Nothing is left behind", .serialized)
struct LeakTests {
    @Test("by 2,000 clients that connect and are dropped")
    func connectAndDrop() throws {
        let server = try RawServer { peer in
            _ = try? peer.acceptUpgrade()
            while let frame = try? peer.readFrame() {
                if frame.opcode == 8 { peer.sendFrame(opcode: 8, frame.payload) }
            }
        }
        try expectNoGrowth(2000) { _ in
            let client = try WebSocketClient(server.url())
            #expect(client.isOpen)
        }
    }

    @Test("by 2,000 clients that connect, exchange a message and close")
    func connectAndClose() throws {
        let server = try RawServer { peer in
            _ = try? peer.acceptUpgrade()
            while let frame = try? peer.readFrame() { peer.sendFrame(opcode: frame.opcode, frame.payload) }
        }
        try expectNoGrowth(2000) { index in
            let client = try WebSocketClient(server.url())
            try client.writeTextMessage("\(index)")
            #expect(try client.readTextMessage() == "\(index)")
            try client.close()
        }
    }

    @Test("by clients whose connecting fails, in each way in which it can")
    func failures() throws {
        let port = try FreePort.find()
        let refusing = try RawServer { peer in
            _ = try? peer.readRequestHead()
            peer.send("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
            peer.waitForEnd()
        }
        let dropping = try RawServer { peer in peer.closeConnection() }
        let silent = try RawServer { $0.waitForEnd() }
        var quick = ClientConfiguration()
        quick.handShakeTimeout = .milliseconds(2)
        try expectNoGrowth(300) { _ in
            #expect(failure { try WebSocketClient("ws://127.0.0.1:\(port)/") } != nil)
            #expect(failure { try WebSocketClient(refusing.url()) } != nil)
            #expect(failure { try WebSocketClient(dropping.url()) } != nil)
            #expect(failure { try WebSocketClient(silent.url(), configuration: quick) } != nil)
            #expect(failure { try WebSocketClient("ws://no..such.host/") } != nil)
            #expect(failure { try WebSocketClient("ws://255.255.255.255/") } != nil)
            #expect(failure { try WebSocketClient("nonsense") } != nil)
        }
    }

    @Test("would be seen here: a block of a byte in each cycle")
    func check() throws {
        var leaked: [UnsafeMutablePointer<UInt8>] = []
        defer { for block in leaked { block.deallocate() } }
        try withKnownIssue {
            try expectNoGrowth(4000, warmUp: 10) { _ in leaked.append(.allocate(capacity: 1)) }
        } when: {
            // Under a sanitizer that is left to the sanitizer.
            ProcessMetrics.blocksInUse() != nil
        }
    }

    @Test("by loops that come and go")
    func loops() throws {
        let server = try RawServer { peer in
            _ = try? peer.acceptUpgrade()
            peer.waitForEnd()
        }
        let before = try ProcessUsage()
        // All at a time, for a loop stays for a second without clients.
        let loops = try (0..<5).map { _ in
            let loop = WebSocketLoop()
            try WebSocketClient(server.url(), loop: loop).close(timeout: .zero)
            return loop
        }
        #expect(eventually { loops.allSatisfy { !$0.isRunning } })
        // Dispatch keeps a worker for the timer that ends loops.
        let settled = ProcessUsage.isBack(to: before, sparing: 2)
        let after = try ProcessUsage()
        #expect(settled, "before: \(before); after: \(after)")
    }
}
