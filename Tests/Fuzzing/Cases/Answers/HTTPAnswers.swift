// Heads of HTTP answers, right and wrong.

/// Makes the head of an answer from what a client expects, with lines left out, doubled, changed and made up.
enum HTTPAnswers {
    private static let names = [
        "Upgrade", "Connection", "Sec-WebSocket-Accept", "Sec-WebSocket-Protocol", "Sec-WebSocket-Extensions",
        "Sec-WebSocket-Version", "Content-Length", "Transfer-Encoding", "Location", "Set-Cookie", "WWW-Authenticate",
        "Server", "Date", "Content-Type", "Content-Encoding", "Retry-After", "Alt-Svc", "X-Own", "X", "", "é", "X Y",
        "Proxy-Authenticate", "Keep-Alive", "Trailer", "TE",
    ]
    private static let values = [
        "", " ", "websocket", "Upgrade", "close", "keep-alive", "keep-alive, Upgrade", "chunked", "gzip", "0", "-1",
        "5",
        "99999999999999999999", "permessage-deflate", "permessage-deflate; client_max_window_bits=99", "chat", "x, y",
        "ws://127.0.0.1/", "wss://", "http://[::1", "//", "Basic realm=\"x\"", "a=b; Path=/", "\u{0}", "\t", "ü",
    ]
    static let statusLines = [
        "HTTP/1.1 101 Switching Protocols", "HTTP/1.1 101", "HTTP/1.0 101 x", "HTTP/2 101", "HTTP/1.1 100 Continue",
        "HTTP/1.1 200 OK", "HTTP/1.1 204 No Content", "HTTP/1.1 301 Moved", "HTTP/1.1 302 Found", "HTTP/1.1 307 T",
        "HTTP/1.1 308 P", "HTTP/1.1 304 Not Modified", "HTTP/1.1 400 Bad", "HTTP/1.1 401 Unauthorized",
        "HTTP/1.1 403 No", "HTTP/1.1 404 No", "HTTP/1.1 407 Proxy", "HTTP/1.1 426 Upgrade", "HTTP/1.1 500 Error",
        "HTTP/1.1 503 Later", "HTTP/1.1 999 ?", "HTTP/1.1 -5 x", "HTTP/1.1 1010 x", "HTTP/1.1  101 x",
        "http/1.1 101 x",
        "HTTP/1.1 99999999999999999999 x", "HTTP/1.1", "", "ICY 200 OK", "GET / HTTP/1.1",
    ]

    /// Head and body, from good lines.
    static func make(_ choices: inout Choices, good lines: [String], body: [UInt8] = []) -> [UInt8] {
        var lines = lines
        for _ in 0..<choices.int(0...4) { change(&lines, &choices) }
        if choices.once(in: 40) { lines += many(&choices) }
        var bytes = bytes(of: lines, &choices) + body
        if choices.once(in: 6) { choices.damage(&bytes) }
        if choices.once(in: 50) { bytes = choices.bytes(choices.size(upTo: 6000)) }
        return bytes
    }

    private static func change(_ lines: inout [String], _ choices: inout Choices) {
        let place = choices.int(0...max(0, lines.count - 1))
        switch choices.int(0...6) {
        case 0 where !lines.isEmpty: lines[0] = choices.pick(statusLines)
        case 1 where lines.count > 1: lines.remove(at: place)
        case 2 where !lines.isEmpty: lines.append(lines[place])
        case 3 where !lines.isEmpty: lines[place] = lines[place].uppercased()
        case 4 where !lines.isEmpty: lines[place] += choices.text(choices.int(1...30))
        case 5: lines.append(" folded " + choices.text(5))
        default: lines.append(line(&choices))
        }
    }

    private static func line(_ choices: inout Choices) -> String {
        let value = choices.once(in: 4) ? choices.text(choices.size(upTo: 3000)) : choices.pick(values)
        return choices.pick(names) + choices.pick([": ", ":", " : ", "", ":\t"]) + value
    }

    /// More than lws takes of one kind or another.
    private static func many(_ choices: inout Choices) -> [String] {
        let value = choices.text(choices.int(0...60))
        return (0..<choices.pick([50, 100, 500])).map { "X-\($0): \(value)" }
    }

    private static func bytes(of lines: [String], _ choices: inout Choices) -> [UInt8] {
        let end = choices.once(in: 20) ? choices.pick(["\n", "\r", "\r\n\r\n", ""]) : "\r\n"
        return Array((lines.joined(separator: end) + end + end).utf8)
    }
}
