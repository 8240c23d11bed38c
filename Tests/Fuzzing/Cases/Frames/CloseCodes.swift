// What a close frame may say.

import LWSWebSocket

/// Status codes (RFC 6455, section 7.4).
enum CloseCodes {
    /// An endpoint may begin to close with them.
    static let areSent = [1000...1003, 1007...1011, 3000...4999]
    /// Registered since then: a client that gets one answers with the same.
    static let areRegistered = [1012...1014]
}

extension WebSocketMessage {
    /// As it goes over the wire.
    var payload: [UInt8] {
        switch self {
        case .text(let text): Array(text.utf8)
        case .binary(let bytes): bytes
        }
    }
}
