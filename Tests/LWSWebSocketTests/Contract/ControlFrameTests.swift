// The contract's ping and pong.

import TestSupport
import Testing

@testable import LWSWebSocket

@Suite("Control frames", .serialized)
struct ControlFrameTests {
    @Test("are sent as one frame each, with up to 125 bytes", arguments: [0, 1, 125])
    func sent(_ count: Int) throws {
        let catcher = try FrameCatcher()
        let client = try WebSocketClient(catcher.server.url())
        let payload = [UInt8](repeating: 9, count: count)
        try client.ping(payload)
        try client.pong(payload)
        let frames = try catcher.next(2)
        #expect(frames.map(\.opcode) == [9, 10])
        #expect(frames.allSatisfy { $0.payload == payload && $0.fin && $0.masked })
    }

    @Test("of more than 125 bytes are refused before anything is sent")
    func tooLong() throws {
        let catcher = try FrameCatcher()
        let client = try WebSocketClient(catcher.server.url())
        let payload = [UInt8](repeating: 9, count: 126)
        #expect(failure { try client.ping(payload) }?.code == .invalidArgument)
        #expect(failure { try client.pong(payload) }?.code == .invalidArgument)
        try client.writeTextMessage("next")
        #expect(try catcher.next(1).map(\.text) == ["next"])
    }

    @Test("of the peer are answered without the application, even while nobody reads")
    func answered() throws {
        let payloads = [[], [1], [UInt8](repeating: 3, count: 125)] as [[UInt8]]
        let seen = Seen()
        let server = try RawServer { peer in
            _ = try? peer.acceptUpgrade()
            for payload in payloads {
                peer.sendFrame(opcode: 9, payload)
                if let frame = try? peer.readFrame() { seen.add(frame) }
            }
            seen.done()
            peer.waitForEnd()
        }
        let client = try WebSocketClient(server.url())
        #expect(try seen.all().map(\.payload) == payloads)
        #expect(try seen.all().allSatisfy { $0.opcode == 10 && $0.masked })
        #expect(client.isOpen)
    }

    @Test("go out while incoming messages wait for a reader")
    func whilePaused() throws {
        let seen = Seen()
        let server = try RawServer { peer in
            _ = try? peer.acceptUpgrade()
            let payload = [UInt8](repeating: 1, count: 65536)
            let sending = try? Background { for _ in 0..<500 where peer.sendFrame(opcode: 2, payload) {} }
            while let frame = try? peer.readFrame() {
                seen.add(frame)
                if frame.opcode == 9 { seen.done() }
            }
            _ = try? sending?.value()
        }
        let client = try WebSocketClient(server.url())
        #expect(eventually { client.inside.isPaused })
        try client.ping([1, 2, 3])
        #expect(try seen.all().map(\.payload) == [[1, 2, 3]])
        for _ in 0..<500 { #expect(try client.readBinaryMessage().count == 65536) }
    }
}
