// What an application hands in for the handshake: fields, cookies, names, credentials and paths, of every length.

import Foundation
import HTTPTypes
import LWSWebSocket
import TestSupport

/// Settings that may be refused; and where they are not, the request has to say what they say and nothing else.
struct UserSettings: Sendable {
    var configuration = ClientConfiguration()
    private(set) var path = ""
    /// Lines that the request has to have.
    private var fields: [(name: String, value: String)] = []

    /// - Throws: `invalidArgument`, where it is refused when it is set.
    init(_ choices: inout Choices) throws(WebSocketError) {
        if choices.once(in: 2) { path = Self.text(&choices) }
        if choices.once(in: 4) { path += "?" + Self.text(&choices) }
        for _ in 0..<choices.pick([0, 0, 1, 3, 30]) {
            let (name, value) = (Self.name(&choices), Self.text(&choices))
            try configuration.addHeader(name, value)
            fields.append((name, value))
        }
        if choices.once(in: 4) {
            configuration.subProtocols = (0..<choices.int(1...5)).map { _ in Self.name(&choices) }
            fields.append(("Sec-WebSocket-Protocol", configuration.subProtocols.joined(separator: ", ")))
        }
        if choices.once(in: 4) {
            configuration.cookies = (0..<choices.int(1...5)).map { _ in
                Cookie(name: Self.name(&choices), value: Self.text(&choices), path: choices.pick([nil, "/", "/a/b"]))
            }
        }
        if choices.once(in: 4) {
            let (user, password) = (Self.text(&choices), Self.text(&choices))
            configuration.auth =
                choices.once(in: 2) ? .credentials(username: user, password: password) : .bearer(token: user)
        }
        configuration.maxFrameSize = choices.pick([
            -1, 0, 1, 2, 125, 126, 1000, 65535, 65536, 100_000, 1 << 30, 1 << 31, .max,
        ])
        configuration.maxMessageSize = choices.pick([nil, -1, 0, 1, 125, 126, 65535, 65536, 70_000, .max])
        configuration.loggedPayloadBytes = choices.pick([0, 0, 1, 5, .max])
    }

    /// Mostly a token.
    private static func name(_ choices: inout Choices) -> String {
        switch choices.int(0...9) {
        case 0: text(&choices)
        case 1:
            choices.pick([
                "Host", "Upgrade", "Sec-WebSocket-Key", "Cookie", "User-Agent", "Origin", "Authorization",
                "Content-Length",
            ])
        default:
            choices.pick([
                "X-A", "X", "a!#$%&'*+-.^_`|~", "chat",
                "x-long-" + String(repeating: "n", count: choices.int(0...300)),
            ])
        }
    }

    /// Text of all lengths around the limits, mostly of letters.
    private static func text(_ choices: inout Choices) -> String {
        let count = choices.pick([
            0, 1, 5, 20, 20, 125, 126, 255, 256, 1000, 4000, 4096, 8192, 15_500, 16_384, 70_000,
        ])
        let length = max(0, count + choices.int(-2...2))
        switch choices.int(0...7) {
        case 0: return choices.text(length)
        case 1:
            return String(
                String.UnicodeScalarView(
                    (0..<min(length, 60)).map { _ in Unicode.Scalar(UInt8(choices.int(0...127))) }))
        case 2: return "a\r\nX-Injected: yes\r\n\r\n" + String(repeating: "b", count: length)
        default: return String(repeating: choices.pick(["a", "b", "0", "~"]), count: length)
        }
    }

    /// What `maxFrameSize` means: 0 and less are the default.
    var largestFrame: Int { configuration.maxFrameSize > 0 ? configuration.maxFrameSize : 65536 }

    // MARK: - The request

    private static let own: Set<String> = [
        "host", "upgrade", "connection", "origin", "user-agent", "sec-websocket-key", "sec-websocket-version",
        "sec-websocket-protocol", "sec-websocket-extensions", "authorization", "cookie", "pragma", "cache-control",
    ]

    /// What is wrong with the request that came of these; `nil` where nothing is.
    func fault(in head: String) -> String? {
        var lines = head.components(separatedBy: "\r\n")
        guard lines.suffix(2) == ["", ""] else { return "the request ends within a line" }
        lines.removeLast(2)
        let request = lines.removeFirst().components(separatedBy: " ")
        guard request.count == 3, request[0] == "GET", request[1].hasPrefix("/"), request[2] == "HTTP/1.1" else {
            return "no request line: \(request)"
        }
        let isPlain = lines.allSatisfy { line in
            line.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7f || $0 == 9 }
        }
        guard isPlain else { return "a line of the request has a control character" }
        var seen: [String: [String]] = [:]
        for line in lines {
            guard let colon = line.utf8.firstIndex(of: UInt8(ascii: ":")),
                let name = HTTPField.Name(String(line[..<colon]))
            else {
                return "no header field: \(line.prefix(80))"
            }
            let value = line[line.utf8.index(after: colon)...].trimmingCharacters(in: .whitespaces)
            seen[name.canonicalName, default: []].append(value)
        }
        let given = Dictionary(grouping: fields) { $0.name.lowercased() }
        for (name, values) in given where !["host", "cookie", "user-agent"].contains(name) {
            let expected = values.map { $0.value.trimmingCharacters(in: .whitespaces) }
            guard seen[name] == expected else {
                return
                    "\(name) is there \(seen[name]?.count ?? 0) times, or says something else than \(expected.count) times it was given"
            }
        }
        let unknown = seen.keys.filter { given[$0] == nil && !Self.own.contains($0) }
        guard unknown.isEmpty else { return "fields that nobody has given: \(unknown)" }
        for name in ["host", "sec-websocket-key", "upgrade", "connection", "cookie"]
        where (seen[name]?.count ?? 1) != 1 {
            return "\(name) is there \(seen[name]?.count ?? 0) times"
        }
        return nil
    }
}
