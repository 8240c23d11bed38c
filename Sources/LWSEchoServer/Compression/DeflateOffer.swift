// What a client offers for permessage-deflate.

/// Reads the offers of a `Sec-WebSocket-Extensions` header (RFC 7692, section 7.1).
enum DeflateOffer {
    static let name = "permessage-deflate"

    /// What lws writes back where an offer has it. `lws_extension_server_handshake` (roles/ws/server-ws.c) compares
    /// an offer's parameters with names alone, so every value that can be agreed to is a name here. zlib makes no
    /// raw deflate data with a window of 8 bits.
    static let parameters =
        ["server_no_context_takeover", "client_no_context_takeover"]
        + (9...15).map { "server_max_window_bits=\($0)" }

    /// The effect of the parameter at an index of `parameters`.
    static func windowBits(ofParameter index: Int) -> Int32? { index >= 2 ? Int32(index - 2) + 9 : nil }

    /// Whether the offer is one whose every parameter will be honoured. An offer that asks for something else has
    /// to be declined as a whole.
    static func isAcceptable(_ header: [UInt8], offer index: Int) -> Bool {
        let offers = String(decoding: header, as: UTF8.self).split(separator: ",").map { element in
            element.split(separator: ";", omittingEmptySubsequences: false).map { trimmed($0) }
        }
        let ours = offers.filter { $0.first == name }
        guard index < ours.count else { return false }
        let asked = ours[index].dropFirst()
        guard Set(asked.map { $0.prefix { $0 != "=" } }).count == asked.count else { return false }
        return asked.allSatisfy { parameters.contains($0) || isClientWindow($0) }
    }

    /// How large a window the client could do with is for us to use or not; we take its data with any.
    private static func isClientWindow(_ parameter: String) -> Bool {
        let parts = parameter.split(separator: "=", maxSplits: 1)
        guard parts.first == "client_max_window_bits" else { return false }
        guard parts.count == 2 else { return !parameter.contains("=") }
        let value = parts[1].filter { $0 != "\"" }
        return (8...15).contains(Int(value) ?? 0)
    }

    private static func trimmed(_ text: Substring) -> String {
        var text = text.drop { $0 == " " || $0 == "\t" }
        while text.last == " " || text.last == "\t" { text.removeLast() }
        return String(text)
    }
}
