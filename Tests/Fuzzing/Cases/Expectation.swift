// What a client may make of a case.

import HTTPTypes
package import LWSWebSocket

/// Whatever a case sends, each call ends with a value or one of these errors. Where the case knows what its bytes mean it
/// expects more.
package struct Expectation: Sendable {
    /// The errors that may end it; empty: none does.
    var codes: Set<WebSocketError.Code> = Self.openConnection
    /// The messages which have to arrive, in this order, before anything else; `nil`: not known.
    var messages: [WebSocketMessage]?
    /// There are no others.
    var isComplete = false
    /// The close frame that has to be reported.
    var closure: (code: Int, reason: String)?
    /// The answer that has to be reported.
    var head: ExpectedHead?

    static let handshake: Set<WebSocketError.Code> = [
        .invalidHandshake, .connection, .handshakeTimedOut, .ssl,
    ]
    static let openConnection: Set<WebSocketError.Code> = [
        .corruptedFrame, .invalidContinuationFrame, .payloadTooLarge, .connectionClosure,
    ]

    /// What a client made of it.
    struct Result {
        var messages: [WebSocketMessage] = []
        var error: WebSocketError?
        /// The answer that opened the connection.
        var response: HTTPResponse?
        var code: WebSocketError.Code? { error?.code }
    }

    /// What is wrong with a result; `nil` where nothing is.
    func fault(of result: Result, _ ending: Play.Ending) -> String? {
        if let fault = fault(ofMessages: result.messages, code: result.code, ending) {
            return "\(fault): \(result.error?.description ?? "no error") \(result.error?.libraryDetail ?? "")"
        }
        guard !ending.isReset else { return nil }
        if let head {
            let error = result.error
            let fault = head.fault(in: result.response ?? error?.httpResponse, body: error?.httpResponseBody)
            if let fault { return "\(fault): \(error?.description ?? "no error")" }
        }
        guard let closure, result.code != .readTimedOut else { return nil }
        guard let reported = result.error?.closure else { return "the close frame \(closure) was not reported" }
        guard reported.code != closure.code || reported.reason != closure.reason else { return nil }
        return "the close frame \(closure) was reported as \(reported)"
    }

    package func fault(
        ofMessages received: [WebSocketMessage], code: WebSocketError.Code?, _ ending: Play.Ending = .finish
    ) -> String? {
        guard let code else { return "no error ended it" }
        // A reset may come before the client has read the handshake's answer.
        let isLegal =
            codes.contains(code) || (ending.isHold && [.readTimedOut, .handshakeTimedOut].contains(code))
            || (ending.isReset && code == .connection)
        guard isLegal else { return "\(code) is not expected" }
        guard !ending.isReset, let messages else { return nil }
        guard received.starts(with: messages) else {
            return "\(received.count) messages came, not the \(messages.count) expected"
        }
        return isComplete && received.count > messages.count ? "messages came that nobody sent" : nil
    }

    /// For tests of this judgement.
    package static func sample(messages: [WebSocketMessage], isComplete: Bool) -> Expectation {
        Expectation(messages: messages, isComplete: isComplete)
    }
}

extension Play.Ending {
    var isReset: Bool { if case .reset = self { true } else { false } }
    var isHold: Bool { if case .hold = self { true } else { false } }
}

/// What has to be on the response, or on the error.
struct ExpectedHead: Sendable {
    let status: Int
    /// Lines that have to be there, in this order and in one piece.
    let fields: [String]
    /// What has to have come of it, unless all of it has to be there, is a part from its beginning on.
    var body: [UInt8] = []
    var hasWholeBody = true

    func fault(in response: HTTPResponse?, body seen: [UInt8]?) -> String? {
        guard let response else { return "there is no response" }
        guard response.status.code == status else { return "the status is \(response.status.code), not \(status)" }
        let lines = response.headerFields.map { "\($0.name.rawName): \($0.value)" }
        guard fields.isEmpty || lines.indices.contains(where: { lines[$0...].starts(with: fields) }) else {
            return "the fields are \(lines), not \(fields)"
        }
        let seen = seen ?? []
        guard hasWholeBody ? seen == body : body.starts(with: seen) else {
            return "the body is \(seen.count) bytes, not the \(body.count) expected"
        }
        return nil
    }
}
