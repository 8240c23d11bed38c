// Answers to the WebSocket handshake.

import LWSWebSocket
import TestSupport

enum UpgradeAnswers {
    static func play(_ choices: inout Choices, _ port: Int) -> Play {
        let drawn = choices
        _ = choices.next()
        var play = Play { request in
            var choices = drawn
            return answer(to: request, port, &choices)
        }
        play.chunks = .choose(&choices)
        play.ending = .choose(&choices)
        play.expectation.codes = Expectation.handshake.union(Expectation.openConnection)
        play.isHandshake = true
        return play
    }

    private static func answer(to request: String, _ port: Int, _ choices: inout Choices) -> [UInt8] {
        let head = Play.upgrade(request)
        var lines = head.split(separator: "\r\n").map(String.init)
        switch choices.int(0...5) {
        case 0: lines.append("Sec-WebSocket-Extensions: " + extensions(&choices))
        case 1:
            lines.append("Sec-WebSocket-Protocol: " + choices.pick(["chat", "", "a, b", "superchat", "chat\u{0}"]))
        case 2:
            lines[0] = choices.pick(HTTPAnswers.statusLines)
            lines.append(
                "Location: " + choices.pick(["/", "ws://127.0.0.1:\(port)/x", "ws://[", "?", "http://x y/", "#"]))
        case 3: lines[0] = choices.pick(HTTPAnswers.statusLines)
        default: break
        }
        let body: [UInt8] =
            switch choices.int(0...4) {
            case 0: Array("5\r\nhello\r\n0\r\n\r\n".utf8)
            case 1: choices.bytes(choices.size(upTo: 5000))
            case 2: RawFrame(opcode: 1, payload: Array("at once".utf8)).serverBytes
            default: []
            }
        return HTTPAnswers.make(&choices, good: lines, body: body)
    }

    private static func extensions(_ choices: inout Choices) -> String {
        let parts = [
            "permessage-deflate", "server_no_context_takeover", "client_no_context_takeover",
            "server_max_window_bits=10", "client_max_window_bits", "client_max_window_bits=8", "x-other", "",
            "server_max_window_bits=\"12\"", "server_max_window_bits=16", "rx_buf_size=30", "\"",
        ]
        let count = choices.once(in: 10) ? 100 : choices.int(0...5)
        return (0..<count).map { _ in choices.pick(parts) }.joined(separator: choices.pick(["; ", ", ", ";", ","]))
    }
}
