// Messages/: messages, and the frames that carry them.
//
// Holds: a message as it was read, one that is to be sent with its room for a header, and that header (RFC 6455, section 5.2).
// Used by: Client, Reconnecting, Session, Connection, Events, Errors, JSON.
// Uses: LWSServiceLoop.

/// A whole message, fragments joined (RFC 6455, section 5.6).
public enum WebSocketMessage: Sendable, Hashable {
    /// A text message.
    case text(String)
    /// A binary message.
    case binary([UInt8])

    /// Its length in bytes, for a text in UTF-8.
    var size: Int {
        switch self {
        case .text(let text): text.utf8.count
        case .binary(let bytes): bytes.count
        }
    }

    var kind: MessageKind {
        switch self {
        case .text: .text
        case .binary: .binary
        }
    }
}

/// Text or binary.
enum MessageKind: String, Sendable {
    case text, binary
}
