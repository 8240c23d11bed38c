// The kinds of input that a network, or somebody who hands in files, controls.

/// What a case generates.
package enum FuzzInput: String, CaseIterable, Sendable {
    /// Answers to the WebSocket handshake.
    case upgrade
    /// Frames, fragments and control frames.
    case frames
    /// Close frames and what is around them.
    case close
    /// Compressed messages.
    case compressed
    /// Certificates, keys, revocation lists and PKCS#12 stores.
    case files
    /// Answers of a token endpoint.
    case token
    /// Answers of a proxy to CONNECT.
    case proxy

    /// How many of a hundred cases are of this kind.
    package var share: Int {
        switch self {
        case .upgrade: 22
        case .frames: 25
        case .close: 10
        case .compressed: 17
        case .files: 10
        case .token: 10
        case .proxy: 6
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
