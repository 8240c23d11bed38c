// What an application hands in for the handshake: fields, cookies, names, credentials and paths, of every length.

import Foundation
import HTTPTypes
import LWSWebSocket
import TestSupport

/// Settings that may be refused, unless they are right; and where they are not, the request has to say what they say.
struct UserSettings: Sendable {
    var configuration = ClientConfiguration()
    private(set) var path = ""
    /// Nothing in them gives a reason to refuse them.
    let isRight: Bool
    /// Lines that the request has to have.
    private var fields: [(name: String, value: String)] = []

    /// - Throws: `invalidArgument`, where it is refused when it is set.
    init(_ choices: inout Choices) throws(WebSocketError) {
        isRight = choices.once(in: 3)
        if choices.once(in: 2) { path = text(&choices) }
        if choices.once(in: 4) { path += "?" + text(&choices) }
        for number in 0..<choices.pick([0, 0, 1, 3, isRight ? 30 : 5]) {
            let name = isRight ? choices.pick(["X-A", "X-B", "x-\(number)", Self.oddName]) : name(&choices)
            let value = text(&choices)
            try configuration.addHeader(name, value)
            fields.append((name, value))
        }
        if choices.once(in: 12) {
            // As long as a request may be, more or less.
            let value = String(repeating: "f", count: choices.int(isRight ? 1000...4000 : 15_000...16_500))
            try configuration.addHeader("X-Fill", value)
            fields.append(("X-Fill", value))
        }
        if choices.once(in: 4) {
            configuration.subProtocols = (0..<choices.int(1...5)).map { isRight ? "chat-\($0)" : name(&choices) }
            fields.append(("Sec-WebSocket-Protocol", configuration.subProtocols.joined(separator: ", ")))
        }
        if choices.once(in: 4) { addCookies(&choices) }
        if choices.once(in: 4) { addCredentials(&choices) }
        let frameSizes = [-1, 0, 1, 2, 125, 126, 1000, 65535, 65536, 100_000, 1 << 30]
        let messageSizes = [nil, 0, 1, 125, 126, 65535, 65536, 70_000, Int.max]
        configuration.maxFrameSize = choices.pick(isRight ? frameSizes : frameSizes + [1 << 31, .max])
        configuration.maxMessageSize = choices.pick(isRight ? messageSizes : messageSizes + [-1])
        configuration.loggedPayloadBytes = choices.pick([0, 0, 1, 5, .max])
    }

    private mutating func addCookies(_ choices: inout Choices) {
        configuration.cookies = (0..<choices.int(1...5)).map { number in
            Cookie(
                name: isRight ? "c\(number)" : name(&choices), value: text(&choices), path: choices.pick([nil, "/a"]))
        }
        let cookies = configuration.cookies
        let ordered = cookies.filter { $0.path != nil } + cookies.filter { $0.path == nil }
        fields.append(("Cookie", ordered.map { "\($0.name)=\($0.value)" }.joined(separator: "; ")))
    }

    private mutating func addCredentials(_ choices: inout Choices) {
        let (user, password) = (isRight ? "user" : text(&choices), text(&choices))
        if choices.once(in: 2) {
            configuration.auth = .credentials(username: user, password: password)
            fields.append(("Authorization", "Basic \(Data("\(user):\(password)".utf8).base64EncodedString())"))
        } else {
            configuration.auth = .bearer(token: user)
            fields.append(("Authorization", "Bearer \(user)"))
        }
    }

    /// All that a token may have but letters and digits.
    private static let oddName = "a!#$%&'*+-.^_`|~"

    /// Mostly a token, and sometimes one that cannot be set.
    private func name(_ choices: inout Choices) -> String {
        let owned = [
            "Host", "Upgrade", "Sec-WebSocket-Key", "Cookie", "User-Agent", "Origin", "Authorization",
            "Content-Length",
        ]
        return switch choices.int(0...9) {
        case 0: text(&choices)
        case 1: choices.pick(owned)
        case 2: "x-long-" + String(repeating: "n", count: choices.int(0...300))
        default: choices.pick(["X-A", "X", Self.oddName, "chat"])
        }
    }

    /// Text of all lengths around the limits, mostly of letters.
    private func text(_ choices: inout Choices) -> String {
        let short = [0, 1, 5, 20, 20, 125, 126, 250, 255, 256]
        let count = choices.pick(isRight ? short : short + [1000, 4096, 8192, 70_000])
        let length = max(0, count + choices.int(-2...2))
        switch isRight ? 7 : choices.int(0...9) {
        case 0: return choices.text(length)
        case 1:
            let scalars = (0..<min(length, 60)).map { _ in Unicode.Scalar(UInt8(choices.int(0...127))) }
            return String(String.UnicodeScalarView(scalars))
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
        guard !isRight || request[1].hasSuffix(path) else { return "the request is for \(request[1]), not \(path)" }
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
        for (name, values) in given where !["host", "user-agent"].contains(name) && (isRight || name != "cookie") {
            let expected = values.map { $0.value.trimmingCharacters(in: .whitespaces) }
            guard seen[name] == expected else {
                return
                    "\(name) is there \(seen[name]?.count ?? 0) times, or says something else than \(expected.count) times it was given"
            }
        }
        let unknown = seen.keys.filter { given[$0] == nil && !Self.own.contains($0) }
        guard unknown.isEmpty else { return "fields that nobody has given: \(unknown)" }
        for name in ["host", "sec-websocket-key", "upgrade", "connection"] where seen[name]?.count != 1 {
            return "\(name) is there \(seen[name]?.count ?? 0) times"
        }
        return nil
    }
}
