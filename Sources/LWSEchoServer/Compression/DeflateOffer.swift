// What a client offers for permessage-deflate, and what is answered.

import LWSPayload

/// The one of a client's offers that is agreed to (RFC 7692, section 7.1).
struct DeflateOffer {
    /// Its place among the header's offers of permessage-deflate.
    let index: Int
    /// Bytes of the header up to its end.
    let end: Int
    /// As the client has written them.
    private let parameters: [String]

    /// The one of a `Sec-WebSocket-Extensions` header that is agreed to; `nil`: none.
    ///
    /// It is one whose every parameter will be honoured: an offer that asks for something else has to be declined as a
    /// whole. And one with parameters, unless it is the last: behind an offer without any lws goes on, and drops the
    /// handshake where another follows ("ext mentioned twice").
    static func chosen(from header: [UInt8]) -> DeflateOffer? {
        let all = ListedExtension.list(header).filter { $0.name == CompressionAgreement.extensionName }
        return all.enumerated().lazy
            .filter { !$1.parameters.isEmpty || $0 == all.count - 1 }
            .map { DeflateOffer(index: $0, end: $1.end, parameters: $1.parameters) }
            .first { $0.isAcceptable }
    }

    /// Bytes of the header that lws looks at: up to the end of the offer that is agreed to, where that has parameters.
    static func lengthRead(_ header: [UInt8]) -> Int {
        guard let chosen = chosen(from: header), !chosen.parameters.isEmpty else { return header.count }
        return chosen.end
    }

    private var isAcceptable: Bool {
        guard Set(parameters.map { $0.prefix { $0 != "=" } }).count == parameters.count else { return false }
        return parameters.allSatisfy { Self.changes[$0] != nil || isClientWindow($0) }
    }

    /// How large a window the client could do with is for us to use or not; we take its data with any.
    private func isClientWindow(_ parameter: String) -> Bool {
        let (name, value) = ListedExtension.parameter(parameter)
        return name == "client_max_window_bits" && (value == nil || ListedExtension.windowBits(value) != nil)
    }

    // MARK: - What is agreed to

    /// The parameters that are agreed to, and what they change. zlib makes no raw deflate data with a window of 8 bits.
    private static let changes: [String: @Sendable (inout CompressionAgreement) -> Void] = {
        var changes: [String: @Sendable (inout CompressionAgreement) -> Void] = [
            "server_no_context_takeover": { $0.serverNoContextTakeover = true },
            "client_no_context_takeover": { $0.clientNoContextTakeover = true },
        ]
        for bits in 9...15 { changes["server_max_window_bits=\(bits)"] = { $0.serverWindowBits = bits } }
        return changes
    }()

    var agreement: CompressionAgreement {
        parameters.reduce(into: CompressionAgreement()) { Self.changes[$1]?(&$0) }
    }

    /// What follows the extension's name in the answer.
    var answer: String { parameters.filter { Self.changes[$0] != nil }.map { "; " + $0 }.joined() }
}
