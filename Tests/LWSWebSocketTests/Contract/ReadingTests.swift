// The contract's readTextMessage, readBinaryMessage and readMessage.

import LWSServiceLoop
import TestSupport
import Testing

@testable import LWSWebSocket

@Suite("Reading messages", .serialized)
struct ReadingTests {
    /// A client of a server that sends what the script says and then waits for the end.
    private func client(
        _ configuration: ClientConfiguration = ClientConfiguration(),
        _ script: @escaping @Sendable (RawConnection) -> Void
    ) throws -> (WebSocketClient, RawServer) {
        let server = try RawServer { peer in
            _ = try? peer.acceptUpgrade()
            script(peer)
            peer.waitForEnd()
        }
        return (try WebSocketClient(server.url(), configuration: configuration), server)
    }

    @Test("gives text as text and binary as binary, in the order in which they came")
    func kinds() throws {
        let (client, server) = try client { peer in
            peer.sendFrame(opcode: 1, Array("grüße €".utf8))
            peer.sendFrame(opcode: 2, [0, 255])
            peer.sendFrame(opcode: 1)
            peer.sendFrame(opcode: 2)
        }
        defer { server.stop() }
        #expect(try client.readTextMessage() == "grüße €")
        #expect(try client.readBinaryMessage() == [0, 255])
        #expect(try client.readMessage() == .text(""))
        #expect(try client.readMessage() == .binary([]))
    }

    @Test("tells of a message of the other kind, which stays first in line")
    func otherKind() throws {
        let (client, server) = try client { peer in
            peer.sendFrame(opcode: 2, [1])
            peer.sendFrame(opcode: 1, [65])
        }
        defer { server.stop() }
        #expect(
            failure { try client.readTextMessage() }?.code == .unexpectedMessageKind)
        #expect(try client.readBinaryMessage() == [1])
        #expect(
            failure { try client.readBinaryMessage() }?.code == .unexpectedMessageKind)
        #expect(try client.readTextMessage() == "A")
    }

    @Test("joins fragments, with control frames between them and code points across them")
    func fragments() throws {
        let (client, server) = try client { peer in
            let euro = Array("€".utf8)
            peer.sendFrame(fin: false, opcode: 1, [euro[0]])
            peer.sendFrame(opcode: 9, [1])
            peer.sendFrame(fin: false, opcode: 0, [])
            peer.sendFrame(opcode: 10, [2])
            peer.sendFrame(fin: false, opcode: 0, [euro[1]])
            peer.sendFrame(opcode: 0, [euro[2]])
            peer.sendFrame(fin: false, opcode: 2, [])
            peer.sendFrame(opcode: 0, [])
        }
        defer { server.stop() }
        #expect(try client.readTextMessage() == "€")
        #expect(try client.readBinaryMessage() == [])
    }

    @Test(
        "gives messages of every length up to the limits",
        arguments: [1, 125, 126, 4095, 4096, 4097, 65535, 65536])
    func lengths(_ length: Int) throws {
        let payload = (0..<length).map { UInt8(truncatingIfNeeded: $0) }
        let (client, server) = try client { peer in
            peer.sendFrame(opcode: 2, payload)
            peer.sendFrame(fin: false, opcode: 2, payload)
            peer.sendFrame(opcode: 0, payload)
        }
        defer { server.stop() }
        #expect(try client.readBinaryMessage() == payload)
        #expect(try client.readBinaryMessage() == payload + payload)
    }

    @Test("waits exactly readTimeout, leaves the connection open, and the next message to the next read")
    func timeout() throws {
        let maySend = MonotonicSemaphore()
        var configuration = ClientConfiguration()
        configuration.readTimeout = .milliseconds(200)
        let (client, server) = try client(configuration) { peer in
            _ = maySend.wait(until: Deadline(after: Timing.ages))
            peer.sendFrame(opcode: 1, [65])
        }
        defer { server.stop() }
        let kept = Punctuality(of: .milliseconds(200)) { () -> Void in
            let error = #expect(throws: WebSocketError.self) { try client.readMessage() }
            #expect(error?.code == .readTimedOut)
        }
        #expect(kept.isKept, "\(kept)")
        #expect(client.isOpen)
        maySend.signal()
        #expect(try client.inside.read(timeout: Timing.ages) == .text("A"))
    }

    @Test("serves readers in the order in which they came")
    func order() throws {
        let maySend = MonotonicSemaphore()
        let (client, server) = try client { peer in
            _ = maySend.wait(until: Deadline(after: Timing.ages))
            for index in 0..<8 { peer.sendFrame(opcode: 1, Array("\(index)".utf8)) }
        }
        defer { server.stop() }
        var readers: [Background<String>] = []
        for place in 1...8 {
            let reader = try Background { try client.readTextMessage() }
            // The next reader starts when this one is in line.
            #expect(eventually { client.readers == place })
            readers.append(reader)
        }
        maySend.signal()
        #expect(try readers.map { try $0.value() } == (0..<8).map(String.init))
    }

    @Test("refuses a frame over maxFrameSize with 1009, in the contract's words")
    func frameLimit() throws {
        let seen = Seen()
        var configuration = ClientConfiguration()
        configuration.maxFrameSize = 100
        let server = try RawServer { peer in
            _ = try? peer.acceptUpgrade()
            peer.sendFrame(opcode: 2, [UInt8](repeating: 1, count: 100))
            peer.sendFrame(opcode: 2, [UInt8](repeating: 1, count: 101))
            if let frame = try? peer.readFrame() {
                seen.add(frame)
                peer.sendFrame(opcode: 8, frame.payload)
            }
            seen.done()
        }
        let client = try WebSocketClient(server.url(), configuration: configuration)
        #expect(try client.readBinaryMessage().count == 100)
        let error = #expect(throws: WebSocketError.self) { try client.readBinaryMessage() }
        #expect(error?.code == .payloadTooLarge)
        #expect(error?.description.contains("Max frame length of 100 has been exceeded") == true)
        #expect(try seen.all().map(\.closeCode) == [1009])
        let next = #expect(throws: WebSocketError.self) { try client.writeTextMessage("x") }
        #expect(next?.code == .connectionClosure)
    }

    @Test("refuses a message over maxMessageSize with 1009, however it is cut")
    func messageLimit() throws {
        var configuration = ClientConfiguration()
        configuration.maxMessageSize = 1000
        let (client, server) = try client(configuration) { peer in
            peer.sendFrame(fin: false, opcode: 2, [UInt8](repeating: 1, count: 600))
            peer.sendFrame(opcode: 0, [UInt8](repeating: 1, count: 400))
            peer.sendFrame(fin: false, opcode: 2, [UInt8](repeating: 1, count: 600))
            peer.sendFrame(opcode: 0, [UInt8](repeating: 1, count: 401))
        }
        defer { server.stop() }
        #expect(try client.readBinaryMessage().count == 1000)
        let error = #expect(throws: WebSocketError.self) { try client.readBinaryMessage() }
        #expect(error?.code == .payloadTooLarge)
        #expect(error?.closure?.code == 1009)
    }

    @Test("refuses a text that is not UTF-8 with 1007")
    func utf8() throws {
        let seen = Seen()
        let server = try RawServer { peer in
            _ = try? peer.acceptUpgrade()
            peer.sendFrame(opcode: 1, [65, 0xff, 66])
            if let frame = try? peer.readFrame() { seen.add(frame) }
            seen.done()
        }
        let client = try WebSocketClient(server.url())
        #expect(failure { try client.readMessage() }?.code == .corruptedFrame)
        #expect(try seen.all().map(\.closeCode) == [1007])
    }
}
