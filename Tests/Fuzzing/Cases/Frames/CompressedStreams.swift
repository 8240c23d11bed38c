// Compressed messages (RFC 7692), right and wrong.

import LWSWebSocket
import TestSupport

enum CompressedStreams {
    static func play(_ choices: inout Choices) -> Play {
        let bits = choices.int(9...15)
        var parameters = bits < 15 ? "; server_max_window_bits=\(bits)" : ""
        let forgets = choices.once(in: 3)
        if forgets { parameters += "; server_no_context_takeover" }
        if choices.once(in: 3) { parameters += "; client_no_context_takeover" }
        let deflate = RawDeflate(windowBits: Int32(bits), level: Int32(choices.int(0...9)))
        var bytes: [UInt8] = []
        var messages: [WebSocketMessage]? = []
        for _ in 0..<choices.int(1...6) {
            if forgets { deflate.forgetSent() }
            let (frames, message) = message(&choices, deflate)
            bytes += frames
            guard let message else {
                if choices.once(in: 2) { bytes += RawFrame(opcode: 1, payload: [65]).serverBytes }
                break
            }
            messages?.append(message)
        }
        let isBroken = choices.once(in: 4)
        if isBroken {
            choices.damage(&bytes)
            messages = nil
        }
        var play = Play.opening(bytes, ["Sec-WebSocket-Extensions: permessage-deflate\(parameters)"])
        play.expectation.messages = messages
        play.chunks = .choose(&choices)
        play.ending = .choose(&choices)
        return play
    }

    /// Returns no message where the frames do not make one.
    private static func message(_ choices: inout Choices, _ deflate: RawDeflate) -> ([UInt8], WebSocketMessage?) {
        let isRepetitive = choices.once(in: 2)
        let count = choices.size(upTo: 70_000)
        let content =
            isRepetitive ? [UInt8](repeating: UInt8(choices.int(0...127)), count: count) : choices.bytes(count)
        if choices.once(in: 12) { return (frames(content, 0, &choices), .binary(content)) }
        var payload = deflate.compress(content)
        var message: WebSocketMessage? = .binary(content)
        var rsv: UInt8 = 4
        switch choices.int(0...13) {
        case 0:
            payload = choices.bytes(choices.int(0...300))
            message = nil
        case 1:
            choices.damage(&payload)
            message = nil
        case 2:
            // Stored, fixed and dynamic blocks, and the one that does not exist.
            payload = [UInt8(choices.int(0...7))] + choices.bytes(choices.int(0...40))
            message = nil
        case 3:
            rsv = UInt8(choices.int(0...7))
            message = nil
        case 4:
            payload = Array(payload.prefix(choices.int(0...payload.count)))
            message = nil
        case 5:
            // A bomb: 1,000 bytes for each that is sent, and more than the client takes.
            payload = deflate.compress([UInt8](repeating: 0, count: choices.int(1...2) << 20))
            message = nil
        default: break
        }
        return (frames(payload, rsv, &choices), message)
    }

    private static func frames(_ payload: [UInt8], _ rsv: UInt8, _ choices: inout Choices) -> [UInt8] {
        var bytes: [UInt8] = []
        var rest = payload[...]
        let pieces = choices.once(in: 3) ? choices.int(2...6) : 1
        for piece in 1...pieces {
            let count = piece == pieces ? rest.count : choices.int(0...rest.count)
            let frame = RawFrame(
                fin: piece == pieces, rsv: piece == 1 ? rsv : 0, opcode: piece == 1 ? 2 : 0,
                payload: Array(rest.prefix(count)))
            bytes += frame.serverBytes
            rest = rest.dropFirst(count)
            if choices.once(in: 6) { bytes += RawFrame(opcode: 9, payload: [1]).serverBytes }
        }
        return bytes
    }
}
