// Answers of a token endpoint, and of a proxy.

import LWSWebSocket

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

    static func play(_ choices: inout Choices) -> Play {
        let body = self.body(&choices)
        var lines = ["HTTP/1.1 200 OK", "Content-Type: application/json"]
        var encoded = body
        switch choices.int(0...5) {
        case 0: break
        case 1:
            lines.append("Transfer-Encoding: chunked")
            encoded = chunked(body, &choices)
        case 2: lines.append("Content-Length: \(choices.pick([0, 1, body.count + 1, body.count - 1, 1 << 33, -7]))")
        default: lines.append("Content-Length: \(body.count)")
        }
        if choices.once(in: 4) { lines[0] = choices.pick(HTTPAnswers.statusLines) }
        let played =
            choices.once(in: 2)
            ? Array((lines.joined(separator: "\r\n") + "\r\n\r\n").utf8) + encoded
            : HTTPAnswers.make(&choices, good: lines, body: encoded)
        return Play(
            answer: { _ in played }, chunks: .choose(&choices), ending: .choose(&choices),
            // With a token the client goes on to a server that is not there.
            expectation: Expectation(codes: [.auth, .connection, .handshakeTimedOut]))
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

    private static func chunked(_ body: [UInt8], _ choices: inout Choices) -> [UInt8] {
        var bytes: [UInt8] = []
        var rest = body[...]
        while !rest.isEmpty {
            let count = min(rest.count, choices.int(1...max(1, rest.count)))
            let size =
                choices.once(in: 15)
                ? choices.pick([
                    "0", "-1", "ffffffff", "80000000", "xyz", "", " 5", "5;ext=1", "10000", "7fffffffffffffff",
                ])
                : String(count, radix: 16)
            bytes += Array("\(size)\r\n".utf8) + rest.prefix(count) + Array("\r\n".utf8)
            rest = rest.dropFirst(count)
        }
        return bytes
            + Array(choices.pick(["0\r\n\r\n", "0\r\n", "0\r\nX-Trailer: 1\r\n\r\n", "", "00\r\n\r\n"]).utf8)
    }
}

/// Answers to CONNECT.
enum ProxyAnswers {
    static func play(_ choices: inout Choices) -> Play {
        var lines = [choices.pick(["HTTP/1.1 200 Connection established", "HTTP/1.0 200 OK"])]
        if choices.once(in: 2) { lines[0] = choices.pick(HTTPAnswers.statusLines) }
        let played = HTTPAnswers.make(
            &choices, good: lines, body: choices.once(in: 3) ? choices.bytes(choices.int(0...100)) : [])
        return Play(
            answer: { _ in played }, chunks: .choose(&choices), ending: .choose(&choices),
            expectation: Expectation(codes: [.connection, .invalidHandshake, .handshakeTimedOut]))
    }
}
