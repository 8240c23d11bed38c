// Handshake/: what a request asks for, and what it is answered.
//
// Holds: the paths, each with its behaviour, the request as libwebsockets tells it, refusals, and answers that are held back.

/// What a connection is for, read from its request path.
enum EchoPath: Equatable {
    case echo
    case close(code: UInt16, reason: [UInt8])
    case drop(afterMessages: Int)
    case silent
    case slowUpgrade(milliseconds: Int)
    case refuse(status: Int)
    case push(count: Int, size: Int)
    case ping(count: Int)
    case fragments(Int)
    case headers

    /// Why a path is refused.
    enum Failure: Error, Equatable {
        case unknown
        case malformed(String)
    }

    /// Reads a path as lws hands it over: percent-decoded, `+` turned into a space, `//`, `/./` and `/../` resolved,
    /// without the query (roles/http/parsers.c: lws_parse_urldecode). Whoever wants `/`, `;`, `&`, `+` or `?` in a
    /// close reason has to percent-encode it.
    init(_ path: [UInt8]) throws(Failure) {
        let parts = path.split(separator: UInt8(ascii: "/"), maxSplits: 3, omittingEmptySubsequences: false)
        guard parts.count >= 2, parts[0].isEmpty else { throw .unknown }
        let arguments = parts.dropFirst(2).map { Array($0) }
        let name = String(decoding: parts[1], as: UTF8.self)
        self = try Self.behaviour(name, arguments)
    }

    private static func behaviour(_ name: String, _ arguments: [[UInt8]]) throws(Failure) -> EchoPath {
        switch (name, arguments.count) {
        case ("", 0), ("echo", 0): return .echo
        case ("silent", 0): return .silent
        case ("headers", 0): return .headers
        case ("drop", 0): return .drop(afterMessages: 0)
        case ("drop", 1): return .drop(afterMessages: try number(arguments[0], in: 0...Int(Int32.max)))
        case ("close", 1), ("close", 2):
            let code = try number(arguments[0], in: 0...65535)
            let reason = arguments.count == 2 ? arguments[1] : []
            // A control frame's payload has 125 bytes at most, two of which are the code (RFC 6455, 5.5).
            guard reason.count <= 123 else { throw .malformed("a close reason has 123 bytes at most") }
            return .close(code: UInt16(truncatingIfNeeded: code), reason: reason)
        case ("slow-upgrade", 1):
            return .slowUpgrade(milliseconds: try number(arguments[0], in: 0...600_000))
        case ("refuse", 1): return .refuse(status: try number(arguments[0], in: 200...599))
        case ("push", 2):
            let count = try number(arguments[0], in: 0...Int(Int32.max))
            return .push(count: count, size: try number(arguments[1], in: 0...EchoConnection.frameLimit))
        case ("ping", 1): return .ping(count: try number(arguments[0], in: 0...1_000_000))
        case ("fragments", 1): return .fragments(try number(arguments[0], in: 1...1_000_000))
        default: throw .unknown
        }
    }

    private static func number(_ digits: [UInt8], in range: ClosedRange<Int>) throws(Failure) -> Int {
        let text = String(decoding: digits, as: UTF8.self)
        guard digits.allSatisfy((UInt8(ascii: "0")...UInt8(ascii: "9")).contains), let value = Int(text),
            range.contains(value)
        else { throw .malformed("'\(text)' is not a number from \(range.lowerBound) to \(range.upperBound)") }
        return value
    }
}
