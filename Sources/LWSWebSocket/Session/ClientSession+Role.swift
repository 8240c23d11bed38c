// What a connection is for.

internal import CLibWebSockets
internal import HTTPTypes
internal import LWSServiceLoop

extension ClientSession {
    /// Who says what the server is asked for, and deals with what comes back.
    enum Role {
        /// To talk with it by WebSocket.
        case webSocket(WebSocketRole)
        /// To answer a request by HTTP.
        case request(HTTPExchange)
    }
}

extension ClientSession.Role {
    /// What lws is told of the request.
    var request: RequestForLWS {
        switch self {
        case .webSocket(let role): role.request.forLWS
        case .request(let exchange): exchange.request
        }
    }

    /// What the requests say that they come from.
    var userAgent: String? {
        switch self {
        case .webSocket(let role): role.request.fields[.userAgent]
        case .request(let exchange): exchange.post.fields[.userAgent]
        }
    }

    /// What the same place is asked by over TLS.
    var secureURL: String {
        switch self {
        case .webSocket: "a wss: URL"
        case .request: "an https: URL"
        }
    }

    /// Whether all of the request is on its way, of which lws has written the head.
    var hasSentRequest: Bool {
        switch self {
        case .webSocket: true
        case .request(let exchange): exchange.bodyWasSent
        }
    }

    /// What lws reports of the connection. `false` makes it end the connection.
    func handle(
        _ reason: lws_callback_reasons, _ wsi: OpaquePointer, _ argument: UnsafeMutableRawBufferPointer,
        _ session: ClientSession, _ held: borrowing HeldLoop
    ) -> Bool {
        switch self {
        case .webSocket(let role):
            role.reading.whileHandling { role.handle(reason, wsi, argument, session, held) }
        case .request(let exchange): exchange.handle(reason, wsi, argument, session, held)
        }
    }

    /// The attempt under way has come so far.
    func reached(_ step: OpeningStep) {
        if case .webSocket(let role) = self { role.connection.reached(step) }
    }

    /// Returns what is wrong with the answer, which the session has taken; `nil` where it is what was asked for.
    func judge(
        _ outcome: AnswerReader.Outcome, _ reader: AnswerReader, _ detail: String?, _ session: ClientSession
    ) -> WebSocketError? {
        switch self {
        case .webSocket(let role): role.judge(outcome, reader, detail, session)
        case .request(let exchange): exchange.judge(outcome, reader, detail, session)
        }
    }

    /// What lws finds wrong with the answer that was left to it, from its own words; `nil` where there was none.
    func objection(_ detail: String, _ session: ClientSession) -> WebSocketError? {
        if case .webSocket(let role) = self { role.objection(detail, session) } else { nil }
    }

    /// There is nothing more to come, and the session's `failure` says why where there is no connection. Called once.
    func ended(_ session: ClientSession, _ held: borrowing HeldLoop) {
        switch self {
        case .webSocket(let role): role.ended(session, held)
        case .request(let exchange): exchange.ended(session)
        }
    }
}
