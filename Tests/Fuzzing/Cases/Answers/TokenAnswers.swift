// Answers of a token endpoint, and of a proxy.

import LWSWebSocket
import TestSupport

enum TokenAnswers {
    private static let values = [
        #""t""#, #""""#, "1", "-1", "1e400", "null", "true", "[]", "{}", #""bearer""#, #""Bearer""#, #""mac""#,
        "3600",
        #""3600""#, "0", "0.5", "9999999999999999999999", #""a b""#, #""\u0000""#, #""\ud800""#, #""жетон""#,
        #""invalid_grant""#, #""invalid_client""#, #""temporarily_unavailable""#, "nul", #""unended"#,
    ]
    private static let names = [
        "access_token", "token_type", "expires_in", "refresh_token", "scope", "error", "error_description",
        "error_uri",
        "id_token", "", "x",
    ]

    /// An answer, and a server that tells with which credentials the client comes then. Each is asked once.
    static func play(_ choices: inout Choices) -> Play {
        let isRight = choices.once(in: 3)
        let token = isRight ? String(choices.next(), radix: 36) : "token"
        let body = isRight ? rightBody(token, &choices) : body(&choices)
        var lines = ["HTTP/1.1 200 OK", "Content-Type: application/json"]
        var framed = body
        // An end of TCP is one of the body; without it there is none.
        let ending = Play.Ending.choose(&choices)
        switch choices.int(0...5) {
        case 0, 1:
            lines.append("Transfer-Encoding: chunked")
            framed = isRight ? ChunkedBodies.right(body, &choices) : ChunkedBodies.wrong(body, &choices)
        case 2 where !isRight:
            lines.append("Content-Length: \(choices.pick([0, 1, body.count + 1, body.count - 1, 1 << 33, -7]))")
        case 3: break
        default: lines.append("Content-Length: \(body.count)")
        }
        let interim = choices.once(in: 4) ? "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" : ""
        var answer = Array((interim + lines.joined(separator: "\r\n") + "\r\n\r\n").utf8) + framed
        if !isRight, choices.once(in: 2) {
            if choices.once(in: 4) { lines[0] = choices.pick(HTTPAnswers.statusLines) }
            answer = HTTPAnswers.make(&choices, good: lines, body: framed)
        }
        let bytes = answer
        var play = Play { request in
            guard !request.hasPrefix("POST") else { return bytes }
            let credentials = RawConnection.field("Authorization", in: request) ?? "none"
            return Play.upgrade(request).utf8 + RawFrame(opcode: 1, payload: Array(credentials.utf8)).serverBytes
        }
        play.chunks = .choose(&choices)
        play.ending = ending
        play.seesFrames = false
        play.expectation.codes = Expectation.openConnection.union([.auth, .connection, .handshakeTimedOut])
        if isRight, !ending.isHold { play.expectation.messages = [.text("Bearer \(token)")] }
        return play
    }

    private static func rightBody(_ token: String, _ choices: inout Choices) -> [UInt8] {
        var members = [
            "\"access_token\":\"\(token)\"", "\"token_type\" : \"\(choices.pick(["Bearer", "bearer"]))\"",
            "\"expires_in\":\(choices.pick(["3600", "\"60\"", "1e3", "0", "-1"]))",
        ]
        let others = ["1", "null", "[1, {}]", #""a\"b\u0000""#, #""жетон""#, "true"]
        for number in 0..<choices.int(0...4) { members.append("\"m\(number)\":\(choices.pick(others))") }
        // Not `shuffle`, which draws again and again where libFuzzer has no bytes left.
        for place in members.indices { members.swapAt(place, choices.int(0...place)) }
        return Array("{\(members.joined(separator: choices.pick([",", ", ", ",\r\n "])))}\n".utf8)
    }

    private static func body(_ choices: inout Choices) -> [UInt8] {
        var bytes: [UInt8]
        switch choices.int(0...9) {
        case 0: bytes = choices.bytes(choices.size(upTo: 100_000))
        case 1: bytes = Array("<html><body>\(choices.text(200))</body></html>".utf8)
        case 2:
            bytes = Array(String(repeating: choices.pick(["[", "{\"a\":", "\""]), count: choices.int(0...9000)).utf8)
        default:
            var members = [#""access_token":"token""#, #""token_type":"bearer""#]
            for _ in 0..<choices.int(0...4) {
                members.append("\"\(choices.pick(names))\":\(choices.pick(values))")
            }
            if choices.once(in: 3) { members.removeFirst() }
            bytes = Array("{\(members.joined(separator: ","))}".utf8)
        }
        if choices.once(in: 5) { choices.damage(&bytes) }
        return bytes
    }
}

/// Answers to CONNECT.
enum ProxyAnswers {
    static func play(_ choices: inout Choices) -> Play {
        var lines = [choices.pick(["HTTP/1.1 200 Connection established", "HTTP/1.0 200 OK"])]
        if choices.once(in: 2) { lines[0] = choices.pick(HTTPAnswers.statusLines) }
        let played = HTTPAnswers.make(
            &choices, good: lines, body: choices.once(in: 3) ? choices.bytes(choices.int(0...100)) : [])
        var play = Play { _ in played }
        play.chunks = .choose(&choices)
        play.ending = .choose(&choices)
        play.expectation.codes = [.connection, .invalidHandshake, .handshakeTimedOut]
        play.seesFrames = false
        return play
    }
}
