// A session's role, and the answer that it gets.

internal import CLibWebSockets
internal import HTTPTypes
internal import LWSServiceLoop

extension ClientSession {
    /// The request is about to be sent: lws reads nothing until its answer has been looked at. Returns false where the
    /// connection was given up meanwhile.
    func watchAnswer(
        _ wsi: OpaquePointer, expectsUpgrade: Bool, longestBody: Int, _ held: borrowing HeldLoop
    ) -> Bool {
        let reader = AnswerReader(wsi, self, expectsUpgrade: expectsUpgrade, longestBody: longestBody)
        guard enter(.asking(reader)) else { return false }
        held.whenPassEnds(reader)
        return true
    }

    /// The system has no room to watch for the answer.
    func cannotWatch(_ held: borrowing HeldLoop) {
        failure = unwatched()
        abort(held)
    }

    func unwatched() -> WebSocketError {
        let why =
            DescriptorShortage.words ?? "the system cannot watch another socket (out of memory or file descriptors)"
        return error(.connection, "\(url.host) could not be asked: \(why)")
    }

    /// lws had too little memory for the answer, or for what came right behind it, and goes on as if nothing had come
    /// (roles/http/client/client-http.c: lws_client_socket_service).
    func lostAnswer(_ held: borrowing HeldLoop) {
        guard wsi != nil, !phase.isGivenUp else { return }
        if phase.isEstablished, case .webSocket(let role) = role { return role.giveUp(self, held) }
        // Without the head, which says that the server agrees.
        failure =
            failure
            ?? WebSocketError(
                .connection, "The answer of \(url.host) could not be read: out of memory", host: url.host)
        abort(held)
    }

    /// It is clear what the server answers, or the connection is over.
    func answered(_ outcome: AnswerReader.Outcome, _ reader: AnswerReader, _ held: borrowing HeldLoop) {
        takeAnswer(reader)
        guard outcome != .upgrade else {
            enter(.upgrading(reader))
            reader.handOver(held)
            return
        }
        failure = role.judge(outcome, reader, nil, self)
        abort(held)
    }

    /// lws has ended the attempt, or the connection before it had its answer, and says why.
    func connectionFailed(_ detail: String, _ held: borrowing HeldLoop) {
        // Without the buffer for frames lws would send a close frame, and read meanwhile what comes behind the answer, into
        // nowhere (roles/ws/client-ws.c: lws_client_ws_upgrade).
        if detail.contains("OOM"), let wsi, case .webSocket(let role) = role { role.reading.stopReading(wsi, held) }
        guard failure == nil, !phase.isGivenUp else { return }
        if case .asking(let reader) = phase {
            let outcome = reader.lookAtLast(held)
            takeAnswer(reader)
            failure = role.judge(outcome, reader, detail, self)
            // lws may tell of the end twice.
            enter(.givenUp)
        } else if !securingFailed(detail), !proxyFailed(detail) {
            failure = role.objection(detail, self) ?? unreachable(detail: detail)
        }
    }

    /// Takes what was read for what the server has answered.
    private func takeAnswer(_ reader: AnswerReader) {
        answerHead = reader.head
        responseBody = reader.body?.bytes
    }

    /// Why there is no answer that anybody could use. The words are those of TLS where that is to blame.
    /// - Parameter what: what was not answered, with a blank in front, or nothing.
    func failure(
        of outcome: AnswerReader.Outcome, _ reader: AnswerReader, _ what: String, detail: String? = nil
    ) -> WebSocketError {
        if outcome == .ended || outcome == .upgrade {
            answerHead = nil
            if securingFailed(detail ?? ""), let failure { return failure }
        }
        let host = url.host
        switch outcome {
        case .invalid, .answer:
            return error(
                .invalidHandshake, "\(host) did not answer\(what) with a valid HTTP response\(hint(at: reader.seen))",
                detail: detail)
        case .tooLong:
            return error(
                .invalidHandshake,
                "\(host) answered\(what) with more than the \(AnswerReader.longestHead) bytes that are taken of header "
                    + "fields", detail: detail)
        case .interimInPieces:
            return error(
                .invalidHandshake,
                "\(host) sent an interim answer in pieces of a few bytes, which cannot be told from the final one over TLS",
                detail: detail)
        case .upgrade:
            return error(
                .connection, "\(host) ended the connection when it had agreed to the handshake", detail: detail)
        case .ended:
            // As servers do that have OpenSSL read the request, without an alert.
            let hint = url.isSecure ? "" : "; if it speaks TLS on port \(url.port), use \(role.secureURL)"
            return error(
                .connection, "\(host) ended the connection before it answered\(what)\(hint)", detail: detail)
        }
    }

    /// How servers say in plain HTTP that they expect TLS: nginx, Go's and Apache's.
    private static let wishesForTLS = ["HTTPS port", "HTTPS server", "SSL-enabled server port"]

    /// What to do where the server speaks TLS.
    var useTLS: String { "; it speaks TLS on port \(url.port): use \(role.secureURL)" }

    /// Whether the body of a refusal says so.
    var wantsTLS: Bool {
        guard !url.isSecure, let body = responseBody else { return false }
        let text = String(decoding: body, as: UTF8.self)
        return Self.wishesForTLS.contains { text.contains($0) }
    }

    /// An alert of TLS (RFC 8446, sections 5.1 and 6) in place of an answer.
    private func hint(at beginning: [UInt8]) -> String {
        !url.isSecure && beginning.starts(with: [21, 3]) ? useTLS : ""
    }

    // MARK: - What a connection is for

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

    func cannotUse(_ address: ResolvedAddress, _ failure: WebSocketError) {
        if case .webSocket(let role) = self { role.connection.log.cannotUse(address, failure) }
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
