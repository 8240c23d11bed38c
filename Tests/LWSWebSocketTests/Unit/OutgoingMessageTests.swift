// Messages that are laid out in frames: their headers, masks, and what leaves together.

import Testing

@testable import LWSWebSocket

@Suite("Frames that are made here (RFC 6455, section 5.2)")
struct OutgoingMessageTests {
    private static let mask: UInt32 = 0x0403_0201

    private func bytes(_ count: Int) -> [UInt8] { (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 7) } }

    /// What a server reads: the frames' opcodes, whether they are final, and their payloads.
    private func read(_ wire: [UInt8]) throws -> [(opcode: UInt8, isFinal: Bool, payload: [UInt8])] {
        var frames: [(UInt8, Bool, [UInt8])] = []
        var rest = wire[...]
        while !rest.isEmpty {
            let (first, second) = (rest.removeFirst(), rest.removeFirst())
            #expect(first & 0x70 == 0 && second & 0x80 != 0)
            var count = Int(second & 0x7f)
            if count > 125 {
                let size = count == 126 ? 2 : 8
                count = rest.prefix(size).reduce(0) { $0 << 8 | Int($1) }
                rest = rest.dropFirst(size)
                #expect(size == 2 ? count > 125 : count > 65535, "the shortest length")
            }
            let key = Array(rest.prefix(4))
            rest = rest.dropFirst(4)
            let payload = rest.prefix(count).enumerated().map { $1 ^ key[$0 & 3] }
            try #require(payload.count == count)
            rest = rest.dropFirst(count)
            frames.append((first & 0xf, first & 0x80 != 0, payload))
        }
        return frames
    }

    private func wire(_ message: OutgoingMessage) -> [UInt8] {
        let spans = message.spans.isEmpty ? [message.onlySpan] : message.spans
        return spans.flatMap { Array(message.seal($0, Self.mask)) }
    }

    @Test(
        "one frame, whatever its length",
        arguments: [0, 1, 2, 3, 4, 5, 31, 32, 33, 63, 125, 126, 127, 1000, 65535, 65536, 70000])
    func single(_ count: Int) throws {
        let payload = bytes(count)
        let message = payload.withUnsafeBytes { OutgoingMessage(.binary, $0, frameSize: 1 << 20) }
        let frames = try read(wire(message))
        #expect(frames.count == 1 && frames[0].opcode == 2 && frames[0].isFinal)
        #expect(frames[0].payload == payload)
    }

    @Test("several, of which only the last is final and only the first has the kind", arguments: [10, 126, 1000])
    func several(_ frameSize: Int) throws {
        let payload = bytes(frameSize * 3 + 1)
        let message = payload.withUnsafeBytes { OutgoingMessage(.text, $0, frameSize: frameSize) }
        let frames = try read(wire(message))
        #expect(frames.map(\.opcode) == [1, 0, 0, 0])
        #expect(frames.map(\.isFinal) == [false, false, false, true])
        #expect(frames.map(\.payload.count) == [frameSize, frameSize, frameSize, 1])
        #expect(frames.flatMap(\.payload) == payload)
    }

    @Test("many messages, one behind the other")
    func batch() throws {
        let messages: [WebSocketMessage] = [
            .text("grüße"), .binary([]), .text(""), .binary(bytes(25)), .text(String(repeating: "x", count: 126)),
        ]
        let message = OutgoingMessage(messages, frameSize: 10)
        let frames = try read(wire(message))
        #expect(frames.map(\.isFinal).filter { $0 }.count == messages.count)
        var read: [WebSocketMessage] = []
        var (opcode, gathered): (UInt8, [UInt8]) = (0, [])
        for frame in frames {
            #expect((frame.opcode == 0) == (opcode != 0))
            if frame.opcode != 0 { opcode = frame.opcode }
            gathered += frame.payload
            guard frame.isFinal else { continue }
            read.append(opcode == 1 ? .text(String(decoding: gathered, as: UTF8.self)) : .binary(gathered))
            (opcode, gathered) = (0, [])
        }
        #expect(read == messages)
        #expect(message.count == messages.reduce(0) { $0 + $1.size })
    }

    @Test("leave in runs of at most a size, control frames between them")
    func runs() {
        var queue = OutboundQueue()
        let message = OutgoingMessage(Array(repeating: .binary(bytes(20)), count: 10), frameSize: 100)
        queue.put(message)
        let ping = [UInt8]().withUnsafeBytes { OutgoingMessage(.ping, $0) }
        var taken: [String] = []
        for step in 0..<6 {
            if step == 1 { queue.put(ping) }
            switch queue.next(maxFrameSize: 100, runSize: 80) {
            case .run(_, let frames): taken.append("\(frames)")
            case .frame(let frame): taken.append("\(frame.message.kind)")
            case nil: taken.append("-")
            }
        }
        #expect(taken == ["0..<3", "ping", "3..<6", "6..<9", "9..<10", "-"])
        let isWithdrawn = queue.withdraw(message)
        #expect(!isWithdrawn, "it has left")
    }
}
