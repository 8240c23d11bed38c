// Frames of an open connection: whole messages, fragments, control frames between them, and what breaks the rules.

import LWSWebSocket
import TestSupport

/// Builds a sequence frame by frame, and knows which messages it makes until the first breach.
struct FrameSequence {
    private(set) var bytes: [UInt8] = []
    private(set) var messages: [WebSocketMessage] = []
    /// Those that come before the first breach; `nil` where there may be others behind it.
    private(set) var pings: [[UInt8]]? = []
    /// What follows means nothing any more.
    private(set) var isBroken = false

    static func play(_ choices: inout Choices) -> Play {
        var sequence = FrameSequence()
        for _ in 0..<choices.int(1...10) where !sequence.isBroken { sequence.addMessage(&choices) }
        if choices.once(in: 2) { sequence.addBreach(&choices) }
        var play = sequence.play
        if choices.once(in: 4) {
            var bytes = sequence.bytes
            choices.damage(&bytes)
            play = Play.opening(bytes)
        }
        play.chunks = .choose(&choices)
        play.ending = .choose(&choices)
        return play
    }

    /// Some messages, with nothing wrong in them.
    static func whole(_ choices: inout Choices) -> FrameSequence {
        var sequence = FrameSequence()
        for _ in 0..<choices.int(1...4) { sequence.addMessage(&choices) }
        return sequence
    }

    /// The sequence behind an answer that opens the connection.
    var play: Play {
        var play = Play.opening(bytes)
        play.expectation.messages = messages
        play.expectation.isComplete = !isBroken
        play.pings = pings
        return play
    }

    /// A message in one frame or several, with control frames in between.
    mutating func addMessage(_ choices: inout Choices) {
        let message: WebSocketMessage =
            choices.once(in: 2)
            ? .binary(choices.bytes(choices.size(upTo: 70_000))) : .text(choices.text(choices.size(upTo: 2000)))
        let payload = message.payload
        let opcode: UInt8 = if case .text = message { 1 } else { 2 }
        var rest = payload[...]
        var isFirst = true
        let pieces = choices.once(in: 3) ? choices.int(2...8) : 1
        for piece in 1...pieces {
            let count = piece == pieces ? rest.count : choices.int(0...rest.count)
            add(fin: piece == pieces, isFirst ? opcode : 0, Array(rest.prefix(count)))
            rest = rest.dropFirst(count)
            isFirst = false
            if choices.once(in: 4) { addControl(&choices) }
        }
        messages.append(message)
    }

    private mutating func addControl(_ choices: inout Choices) {
        let count = choices.once(in: 5) ? choices.int(1...30) : 1
        for _ in 0..<count {
            let payload = choices.bytes(choices.int(0...125))
            if choices.once(in: 2) { addPing(payload) } else { add(10, payload) }
        }
    }

    mutating func addPing(_ payload: [UInt8]) {
        add(9, payload)
        pings?.append(payload)
    }

    private mutating func addBreach(_ choices: inout Choices) {
        isBroken = true
        let payload = choices.bytes(choices.int(0...200))
        switch choices.int(0...11) {
        case 0: add(choices.pick([3, 4, 5, 6, 7, 11, 12, 13, 14, 15]), payload)
        case 1: add(rsv: UInt8(choices.int(1...7)), choices.pick([0, 1, 2, 8, 9, 10]), payload)
        case 2: add(0, payload)
        case 3:
            add(fin: false, 1, Array("begun".utf8))
            add(choices.pick([1, 2]), payload)
        case 4: add(fin: false, choices.pick([8, 9, 10]), payload)
        case 5: bytes += [0x89, 126, 0, 126] + choices.bytes(126)
        case 6:
            bytes += [0x82, 127] + choices.bytes(8) + payload
            pings = nil
        case 7: bytes += [0x82, 127, 0, 0, 0, 0, 0, 0, 0, 1, 65]
        case 8: bytes += [0x81, 126, 0, 1, 65]
        case 9:
            add(
                1,
                choices.pick([[0xc0, 0x80], [0xed, 0xa0, 0x80], [0xf4, 0x90, 0x80, 0x80], [0xe2, 0x82], [0xff]]))
        case 10: bytes += RawFrame(opcode: 1, payload: payload).clientBytes(key: choices.bytes(4))
        default:
            bytes += choices.bytes(choices.size(upTo: 5000))
            pings = nil
        }
        if choices.once(in: 2) { add(1, Array("behind it".utf8)) }
    }

    private mutating func add(fin: Bool = true, rsv: UInt8 = 0, _ opcode: UInt8, _ payload: [UInt8]) {
        bytes += RawFrame(fin: fin, rsv: rsv, opcode: opcode, payload: payload).serverBytes
    }
}

/// Close frames, with what comes before and behind them.
enum ClosePayloads {
    static func play(_ choices: inout Choices) -> Play {
        var payload: [UInt8]
        let reason = choices.text(choices.int(0...40))
        let code = choices.once(in: 2) ? choices.int(0...65535) : choices.pick([1000, 1001, 1003, 1011, 3000, 4999])
        payload = [UInt8(code >> 8), UInt8(code & 255)] + reason.utf8.prefix(123)
        let isWhole = reason.utf8.count <= 123
        let isLegal = CloseCodes.areSent.contains { $0.contains(code) }
        var expectation = Expectation(messages: [], isComplete: true)
        if isWhole, isLegal { expectation.closure = (code, reason) }
        switch choices.int(0...7) {
        case 0: payload = choices.bytes(choices.int(0...125))
        case 1: payload += choices.bytes(choices.int(1...10))
        case 2: payload = Array(payload.prefix(choices.int(0...2)))
        default: break
        }
        if payload != [UInt8(code >> 8), UInt8(code & 255)] + Array(reason.utf8) { expectation.closure = nil }
        var bytes: [UInt8] = []
        switch choices.int(0...5) {
        case 0:
            bytes += RawFrame(opcode: 1, payload: [65]).serverBytes
            expectation.messages = [.text("A")]
        case 1: bytes += RawFrame(fin: false, opcode: 1, payload: [65]).serverBytes
        case 2: for _ in 0..<choices.int(1...20) { bytes += RawFrame(opcode: 9, payload: [1]).serverBytes }
        default: break
        }
        bytes += RawFrame(opcode: 8, payload: payload).serverBytes
        switch choices.int(0...4) {
        case 0: bytes += RawFrame(opcode: 8, payload: payload).serverBytes
        case 1: bytes += RawFrame(opcode: 1, payload: Array("too late".utf8)).serverBytes
        case 2: bytes += choices.bytes(choices.int(0...100))
        default: break
        }
        var play = Play.opening(bytes)
        play.expectation = expectation
        play.chunks = .choose(&choices)
        play.ending = .choose(&choices)
        return play
    }
}
