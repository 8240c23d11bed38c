// Answers to the handshake of which it is known what a client has to make of them, however they are cut.

import LWSWebSocket

/// Interim answers, then the one that counts: it opens the connection, or refuses with a body.
enum RightAnswers {
    /// Over TLS lws holds fewer fields, and where a head comes in pieces of a few bytes, no interim answers.
    static func play(_ choices: inout Choices, isSecure: Bool) -> Play {
        let chunks = Play.Chunks.choose(&choices)
        let isCut = if case .whole = chunks { false } else { true }
        let interim = isSecure && isCut ? [] : interim(&choices, most: isSecure ? 8000 : 32_768)
        let fields = fields(&choices, isSecure)
        var play =
            choices.once(in: 2) ? opening(interim, fields, &choices) : refusal(interim, fields, isCut, &choices)
        play.chunks = chunks
        play.ending = .choose(&choices)
        if choices.once(in: 16) { play.pause = .milliseconds(choices.int(1...3)) }
        return play
    }

    private static func opening(_ interim: [UInt8], _ fields: [String], _ choices: inout Choices) -> Play {
        let sequence = FrameSequence.whole(&choices)
        let isFirst = choices.once(in: 2)
        var play = Play { request in
            interim + Play.upgrade(request, isFirst ? [] : fields, first: isFirst ? fields : []).utf8 + sequence.bytes
        }
        play.expectation.messages = sequence.messages
        play.expectation.isComplete = true
        play.expectation.head = ExpectedHead(status: 101, fields: fields)
        play.pings = sequence.pings
        return play
    }

    private static func refusal(
        _ interim: [UInt8], _ fields: [String], _ isCut: Bool, _ choices: inout Choices
    ) -> Play {
        let status = choices.pick([200, 204, 301, 302, 304, 400, 401, 403, 404, 407, 426, 429, 500, 503, 599])
        let body = choices.bytes(choices.once(in: 8) ? choices.int(4000...6000) : choices.int(0...600))
        var lines = ["HTTP/1.1 \(status) \(choices.pick(["No", "", "No, not  today", "жетон"]))"] + fields
        var framed = body
        switch choices.int(0...4) {
        case 0:
            lines.append("Transfer-Encoding: \(choices.pick(["chunked", "Chunked", " chunked , "]))")
            framed = ChunkedBodies.right(body, &choices)
        case 1: break
        case 2:
            // What follows the body is none of it.
            lines.append("Content-Length: \(body.count)")
            framed += choices.bytes(choices.int(0...40))
        case 3: lines += ["content-length:\(body.count)", "Content-Length: \(body.count)"]
        default: lines.append("Content-Length: \(body.count)")
        }
        let end = choices.once(in: 8) ? "\n" : "\r\n"
        let bytes = interim + Array((lines.joined(separator: end) + end + end).utf8) + framed
        var play = Play { _ in bytes }
        play.expectation.codes = [.invalidHandshake]
        play.expectation.messages = []
        play.expectation.head = ExpectedHead(
            status: status, fields: fields, body: [204, 304].contains(status) ? [] : Array(body.prefix(4096)),
            hasWholeBody: !isCut)
        return play
    }

    /// No more bytes than all of them may have, or than surely are in one record of TLS.
    private static func interim(_ choices: inout Choices, most: Int) -> [UInt8] {
        var bytes: [UInt8] = []
        for _ in 0..<choices.pick([0, 0, 1, 2, 3, 10, 100, 600]) {
            let status = choices.pick([100, 102, 103, 104, 199])
            let fields = choices.once(in: 2) ? Self.fields(&choices, true) : []
            let lines = ["HTTP/1.\(choices.int(0...1)) \(status) Go on"] + fields + ["", ""]
            let head = Array(lines.joined(separator: "\r\n").utf8)
            guard bytes.count + head.count <= most else { break }
            bytes += head
        }
        return bytes
    }

    /// Fields that mean nothing to a client, as they have to be on the response.
    private static func fields(_ choices: inout Choices, _ isFew: Bool) -> [String] {
        let count = isFew ? choices.int(0...12) : choices.pick([0, 1, 5, 20, 40, 41, 100, 300, 1200])
        let known = ["X-Same", "Link", "Via", "Vary", "Set-Cookie"]
        let names = isFew ? known : known + ["Se", "U", "Sec-WebSocket-Accep", "HTTP"]
        var lines: [String] = []
        var size = 0
        for number in 0..<count {
            let value = choices.pick([
                "", "a", "a=\(number); Path=/", "\"quoted, text\"", "in  the\tmiddle", "ünïcödé жетон",
                "</\(number)>; rel=x", String(repeating: "long ", count: choices.int(1...10)) + "end",
            ])
            let line = "\(choices.once(in: 2) ? "X-\(number)" : choices.pick(names)): \(value)"
            size += line.utf8.count + 2
            // With the lines of the answer itself, almost as many as are taken.
            guard size < 32_500 else { break }
            lines.append(line)
        }
        return lines
    }
}
