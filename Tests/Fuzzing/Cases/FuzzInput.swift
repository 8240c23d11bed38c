// The kinds of input that a network controls, or an application that is handed its own input.

/// What a case generates.
package enum FuzzInput: String, CaseIterable, Sendable {
    /// Answers to the WebSocket handshake.
    case upgrade
    /// Answers to it that are right, with interim answers, many fields and bodies.
    case answer
    /// Frames, fragments and control frames.
    case frames
    /// Bursts of pings.
    case pings
    /// Close frames and what is around them.
    case close
    /// Compressed messages.
    case compressed
    /// Frames, pings, closes and compression to several callers of one client.
    case callers
    /// Answers of a token endpoint.
    case token
    /// Answers of a proxy to CONNECT.
    case proxy
    /// Certificates, keys, revocation lists, PKCS#12 stores, and configurations in JSON.
    case files
    /// What an application sets, writes and closes with.
    case settings
    /// Messages that are read as values.
    case json

    /// How many of a hundred cases are of this kind.
    package var share: Int {
        switch self {
        case .upgrade: 16
        case .answer: 10
        case .frames: 17
        case .pings: 2
        case .close: 7
        case .compressed: 12
        case .callers: 6
        case .token: 8
        case .proxy: 4
        case .files: 10
        case .settings: 5
        case .json: 3
        }
    }

    /// The kind of a case of many, in a fixed rotation.
    package static func ofCase(_ index: UInt64) -> FuzzInput {
        // 37 and 100 have no common divisor: a hundred cases in a row have every kind in its share, well mixed.
        var place = Int(index % 100) * 37 % 100
        for input in allCases {
            if place < input.share { return input }
            place -= input.share
        }
        return .frames
    }
}
