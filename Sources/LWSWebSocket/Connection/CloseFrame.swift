// What a close frame says, and which close frames may be sent.

/// The content of a close frame (RFC 6455, section 5.5.1).
struct CloseFrame: Sendable, Hashable {
    /// `nil`: the frame is empty, which is reported as 1005.
    let code: UInt16?
    let reason: String

    static let goingAway = CloseFrame(code: 1001, reason: "")

    init(code: UInt16?, reason: String) {
        self.code = code
        self.reason = reason
    }

    /// Reads a received payload. One byte is not a close frame (RFC 6455, section 5.5.1: "the first two bytes"), nor is a
    /// reason that is not UTF-8.
    init?(payload: UnsafeRawBufferPointer) {
        guard !payload.isEmpty else {
            self.init(code: nil, reason: "")
            return
        }
        guard payload.count >= 2 else { return nil }
        let code = UInt16(payload[0]) << 8 | UInt16(payload[1])
        guard let reason = String(validating: payload.dropFirst(2), as: UTF8.self) else { return nil }
        self.init(code: code, reason: reason)
    }

    /// Checks what a caller wants to send (contract: close).
    static func checked(statusCode: Int, reason: String?, host: String?) throws(WebSocketError) -> CloseFrame {
        guard let code = UInt16(exactly: statusCode), isSendable(code) else {
            throw WebSocketError(
                .invalidArgument,
                "Invalid status code: \(statusCode) may not be sent; use 1000-1003, 1007-1011 or 3000-4999",
                host: host)
        }
        let reason = reason ?? ""
        guard reason.utf8.count <= 123 else {
            throw WebSocketError(
                .invalidArgument,
                "The close reason has \(reason.utf8.count) bytes of UTF-8; a close frame holds at most 123",
                host: host)
        }
        return CloseFrame(code: code, reason: reason)
    }

    private static func isSendable(_ code: UInt16) -> Bool {
        switch code {
        case 1000...1003, 1007...1011, 3000...4999: true
        default: false
        }
    }

    /// The bytes of the frame's payload.
    var payload: [UInt8] {
        guard let code else { return [] }
        return [UInt8(code >> 8), UInt8(truncatingIfNeeded: code)] + Array(reason.utf8)
    }
}
