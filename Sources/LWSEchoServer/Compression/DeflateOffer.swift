// What a client offers for permessage-deflate.

import LWSPayload

/// Reads the offers of a `Sec-WebSocket-Extensions` header (RFC 7692, section 7.1).
enum DeflateOffer {
    /// What lws writes back where an offer has it. `lws_extension_server_handshake` (roles/ws/server-ws.c) compares
    /// an offer's parameters with names alone, so every value that can be agreed to is a name here. zlib makes no
    /// raw deflate data with a window of 8 bits.
    static let parameters =
        ["server_no_context_takeover", "client_no_context_takeover"]
        + (9...15).map { "server_max_window_bits=\($0)" }

    /// The effect of the parameter at an index of `parameters`.
    static func windowBits(ofParameter index: Int) -> Int { index + 7 }

    /// The one of permessage-deflate's offers that is agreed to; `nil`: none.
    ///
    /// It is one whose every parameter will be honoured: an offer that asks for something else has to be declined as a
    /// whole. And one with parameters, unless it is the last: behind an offer without any lws goes on, and drops the
    /// handshake where another follows ("ext mentioned twice").
    static func choice(_ header: [UInt8]) -> Int? {
        let ours = offers(header)
        return ours.indices.first { index in
            let isEnough = !ours[index].parameters.isEmpty || index == ours.count - 1
            return isEnough && isAcceptable(ours[index].parameters)
        }
    }

    /// Bytes of the header that lws looks at: up to the end of the offer that is agreed to, where that has parameters.
    static func lengthRead(_ header: [UInt8]) -> Int {
        guard let choice = choice(header) else { return header.count }
        let chosen = offers(header)[choice]
        return chosen.parameters.isEmpty ? header.count : chosen.end
    }

    private static func offers(_ header: [UInt8]) -> [ListedExtension] {
        ListedExtension.list(header).filter { $0.name == CompressionAgreement.extensionName }
    }

    private static func isAcceptable(_ asked: [String]) -> Bool {
        guard Set(asked.map { $0.prefix { $0 != "=" } }).count == asked.count else { return false }
        return asked.allSatisfy { parameters.contains($0) || isClientWindow($0) }
    }

    /// How large a window the client could do with is for us to use or not; we take its data with any.
    private static func isClientWindow(_ parameter: String) -> Bool {
        let (name, value) = ListedExtension.parameter(parameter)
        return name == "client_max_window_bits" && (value == nil || ListedExtension.windowBits(value) != nil)
    }
}
