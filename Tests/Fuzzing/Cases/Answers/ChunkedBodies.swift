// Bodies in the chunked transfer coding, right and wrong.

/// RFC 9112, section 7.1.
enum ChunkedBodies {
    /// In chunks of all sizes, written in every way that the grammar allows, and with blanks behind a
    /// size, as old servers send them.
    static func right(_ body: [UInt8], _ choices: inout Choices) -> [UInt8] {
        var bytes: [UInt8] = []
        var rest = body[...]
        while !rest.isEmpty {
            let count = min(rest.count, choices.int(1...max(1, min(rest.count, choices.pick([1, 16, 300, .max])))))
            bytes += Array("\(size(count, &choices))\r\n".utf8) + rest.prefix(count) + Array("\r\n".utf8)
            rest = rest.dropFirst(count)
        }
        let trailers = choices.once(in: 4) ? "X-Trailer: 1\r\nX-Empty:\r\n" : ""
        return bytes + Array("\(choices.pick(["0", "000", "0;last"]))\r\n\(trailers)\r\n".utf8)
    }

    private static func size(_ count: Int, _ choices: inout Choices) -> String {
        let digits = String(count, radix: 16, uppercase: choices.once(in: 2))
        let zeros = String(repeating: "0", count: choices.once(in: 6) ? choices.int(1...20) : 0)
        let addition = choices.once(in: 6) ? choices.pick([";a", ";a=b", "; a = \"q\\\"x\" ; c", " ", "\t;d=1"]) : ""
        return zeros + digits + addition
    }

    /// With sizes that are none, or lie, and ends that are missing.
    static func wrong(_ body: [UInt8], _ choices: inout Choices) -> [UInt8] {
        var bytes: [UInt8] = []
        var rest = body[...]
        while !rest.isEmpty {
            let count = min(rest.count, choices.int(1...max(1, rest.count)))
            let size = choices.once(in: 4) ? choices.pick(wrongSizes) : String(count, radix: 16)
            bytes +=
                Array("\(size)\r\n".utf8) + rest.prefix(count) + Array(choices.pick(["\r\n", "\r\n", "\n", ""]).utf8)
            rest = rest.dropFirst(count)
        }
        bytes += Array(choices.pick(["0\r\n\r\n", "0\r\n", "0\r\nX-Trailer\r\n\r\n", "", "-0\r\n\r\n"]).utf8)
        if choices.once(in: 3) { choices.damage(&bytes) }
        return bytes
    }

    private static let wrongSizes = [
        "0", "-1", "ffffffff", "80000000", "xyz", "", " 5", "5;=1", "10000", "7fffffffffffffff", "8000000000000000",
        "ffffffffffffffffffff", "0x5", "5;a=\"", "5\u{0}",
    ]
}
