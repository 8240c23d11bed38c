// Why and how a connection ended, and what is told of it.

internal import LWSServiceLoop

/// What is known about a connection's end, from the moment it begins.
struct Ending: Sendable {
    /// Who began it.
    let initiator: WebSocketError.Closure.Initiator
    /// The close frame this side sends or has sent.
    var sent: CloseFrame?
    /// The close frame of the peer.
    var received: CloseFrame?
    /// What the peer did wrong, where that is why this side ended the connection. Readers are told.
    var violation: Violation?
    /// Why TCP was given up, where it did not end by itself.
    var cause: Cause?

    enum Cause: Sendable, Hashable {
        /// Nothing was heard of the peer for so long after a keep-alive ping.
        case unansweredPing(limit: Duration)
        /// The peer has ended TCP, and nobody has read up to there, so what it said last is not known.
        case unreadEnd
    }

    /// Whether it is anything else than a close of one side.
    var isFault: Bool { violation != nil || initiator == .network }

    /// What is reported of it.
    var closure: WebSocketError.Closure {
        if let received {
            return .init(
                code: Int(received.code ?? 1005), reason: received.reason, initiator: initiator, isClean: true)
        }
        if initiator == .local, let sent, let code = sent.code {
            return .init(code: Int(code), reason: sent.reason, initiator: .local)
        }
        return .init(code: 1006, reason: "", initiator: initiator)
    }

    /// What an operation throws that meets the end.
    func error(host: String) -> WebSocketError {
        let closure = closure
        if case .unansweredPing(let limit) = cause {
            return WebSocketError(
                .connectionClosure,
                "\(host) did not answer a ping within \(limit); the connection to it is taken for lost and was ended "
                    + "(\(closure.code))", host: host, closure: closure)
        }
        let cause =
            switch initiator {
            case .local: "was closed by this side"
            case .peer: "was closed by the server"
            case .network where cause == .unreadEnd: "was ended by the server; what it sent last waits to be read"
            case .network: "was lost without a close frame"
            }
        // Nobody's control characters get into a log this way.
        let reason = closure.reason.isEmpty ? "" : ": \(Redaction([]).clean(closure.reason))"
        return WebSocketError(
            .connectionClosure, "The connection to \(host) \(cause) (\(closure.code))\(reason)", host: host,
            closure: closure)
    }

    /// What a read throws: the peer's violation comes before the closure that it led to.
    func readError(host: String) -> WebSocketError {
        guard let violation else { return error(host: host) }
        // What the peer sends, and what lws makes of it, is likely to be the same next time.
        return WebSocketError(
            violation.code, violation.words(host: host), host: host, closure: closure, mayBeRepeated: false)
    }
}

/// Something a peer sent that this side must not accept.
enum Violation: Sendable, Hashable {
    case frameTooLarge(limit: Int)
    case messageTooLarge(limit: Int)
    case invalidUTF8
    case malformedCloseFrame
    case reservedBits
    /// A compressed message is not what RFC 7692 makes of one.
    case undecodable
    /// lws refused a frame and ended the connection without saying which rule was broken.
    case refusedByLibrary
    /// The same between two frames of a message, where the rule is most likely that of the sequence.
    case brokenSequence
    /// The peer did nothing wrong: lws has taken a control frame for a message.
    case mistakenControlFrame

    var code: WebSocketError.Code {
        switch self {
        case .frameTooLarge, .messageTooLarge: .payloadTooLarge
        case .invalidUTF8, .malformedCloseFrame, .reservedBits, .undecodable, .refusedByLibrary: .corruptedFrame
        case .brokenSequence: .invalidContinuationFrame
        case .mistakenControlFrame: .connection
        }
    }

    /// The close frame that answers it (RFC 6455, section 7.4.1).
    var closeFrame: CloseFrame {
        switch self {
        case .frameTooLarge(let limit):
            CloseFrame(code: 1009, reason: "Max frame length of \(limit) has been exceeded")
        case .messageTooLarge(let limit):
            CloseFrame(code: 1009, reason: "Max message length of \(limit) has been exceeded")
        case .invalidUTF8: CloseFrame(code: 1007, reason: "invalid UTF-8 in a text message")
        case .malformedCloseFrame: CloseFrame(code: 1002, reason: "malformed close frame")
        case .reservedBits: CloseFrame(code: 1002, reason: "reserved bits")
        case .undecodable: CloseFrame(code: 1007, reason: "compressed message cannot be decompressed")
        case .refusedByLibrary, .brokenSequence: CloseFrame(code: 1002, reason: "")
        case .mistakenControlFrame: CloseFrame(code: 1011, reason: "")
        }
    }

    func words(host: String) -> String {
        switch self {
        case .frameTooLarge(let limit):
            "Max frame length of \(limit) has been exceeded by \(host); raise maxFrameSize to accept such frames"
        case .messageTooLarge(let limit):
            "Max message length of \(limit) has been exceeded by \(host); raise maxMessageSize to accept such messages"
        case .invalidUTF8: "\(host) sent a text message that is not valid UTF-8"
        case .malformedCloseFrame:
            "\(host) sent a close frame of one byte, with a code that may not be sent, or with a reason that is not UTF-8"
        case .reservedBits: "\(host) set reserved bits of a frame that have no meaning there"
        case .undecodable:
            "\(host) sent a compressed message that cannot be decompressed; webSocketCompressionEnabled turns "
                + "compression off"
        case .brokenSequence: "\(host) sent a frame that does not continue the message it had begun"
        case .refusedByLibrary: "\(host) sent a frame that RFC 6455 does not allow"
        case .mistakenControlFrame: "\(LibraryRelease.current) \(LibraryRelease.mistake)"
        }
    }
}

extension EventHub {
    /// Whether another connection may follow.
    func isLoss(_ ending: Ending) -> Bool { ending.initiator == .network && mayReconnect }

    /// A connection has come to a step of its life, which its lock keeps in order.
    func tell(_ milestone: ConnectionState.Milestone, of state: ConnectionState, host: String) {
        guard isWatched else { return }
        switch milestone {
        case .opened: tell(WebSocketEvent(.open))
        case .closing: tell(WebSocketEvent(.closing, closure: state.ending?.closure))
        case .ended:
            guard let ending = state.endingOnceOpen else { return }
            tell(
                WebSocketEvent(
                    isLoss(ending) ? .lost : .closed, error: ending.isFault ? ending.readError(host: host) : nil,
                    closure: ending.closure))
        }
    }
}

// MARK: - What a close frame says, and which close frames may be sent

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
    /// reason that is not UTF-8, a code above those that can be registered or made up (section 7.4.2), or 1015, which may not be sent
    /// (section 7.4.1). In the place of the other codes of that kind lws has put 1002.
    init?(payload: UnsafeRawBufferPointer) {
        guard !payload.isEmpty else {
            self.init(code: nil, reason: "")
            return
        }
        guard payload.count >= 2 else { return nil }
        let code = UInt16(payload[0]) << 8 | UInt16(payload[1])
        guard code < 5000, code != 1015, let reason = String(validating: payload.dropFirst(2), as: UTF8.self) else {
            return nil
        }
        self.init(code: code, reason: reason)
    }

    /// Checks what a caller wants to send (RFC 6455, sections 7.4.1, 7.4.2 and 5.5).
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
