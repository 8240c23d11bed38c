// The upgrade: its request, and what lws makes of the answer.

internal import CLibWebSockets
internal import HTTPTypes
internal import LWSPayload
internal import LWSServiceLoop

extension WebSocketRole {
    /// The request is written and about to be sent.
    func appendHeaders(
        _ end: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>, available: Int, _ wsi: OpaquePointer,
        _ session: ClientSession, _ held: borrowing HeldLoop
    ) -> Bool {
        // From here on the address has proved itself, and what goes wrong is not its fault.
        connection.reached(.answer)
        guard session.watchAnswer(wsi, expectsUpgrade: true, longestBody: ResponseBody.refusalLimit, held) else {
            return false
        }
        guard end.pointee != nil else {
            // It has none where it could read no random number (roles/ws/client-ws.c: lws_generate_client_ws_handshake).
            session.failure = session.error(.connection, "\(session.url.host) could not be asked: no random numbers")
            return false
        }
        guard request.complete(end, available: available) else {
            session.failure = session.error(
                .invalidArgument, "The handshake's request does not fit into libwebsockets' buffer")
            return false
        }
        return true
    }

    /// lws judges an answer with 101 next.
    /// Returns whether it may: what it says of extensions is checked before lws acts on it.
    func readResponse(_ wsi: OpaquePointer, _ session: ClientSession) -> Bool {
        guard case .upgrading(let reader) = session.phase else { return false }
        reader.wasRead(wsi)
        // From lws's tokens: what it acts on, while the fields of `response` are what could be seen of them.
        let fields = HandshakeResponse.values(of: WSI_TOKEN_EXTENSIONS, wsi)
        switch CompressionAgreement.read(fields, offered: request.compression) {
        case .declined: break
        case .agreed(let agreement): self.agreement = agreement
        case .invalid(let why):
            session.failure = session.error(
                .invalidHandshake, "\(session.url.host) sent an invalid WebSocket handshake: \(why)")
            return false
        }
        return true
    }

    /// lws finds nothing wrong with the answer. Returns whether it answers the offer of sub-protocols, too, and what it agrees to
    /// was set up, both of which lws takes for optional (`lws_client_ws_upgrade`).
    func checkAgreement(_ wsi: OpaquePointer, _ session: ClientSession) -> Bool {
        guard agreement == nil || compression != nil else {
            session.failure = session.upgradeFailed("could not be set up: out of memory", nil)
            return false
        }
        guard !request.subProtocols.isEmpty else { return true }
        let chosen = HandshakeResponse.value(of: WSI_TOKEN_PROTOCOL, wsi)
        guard let chosen, request.subProtocols.contains(chosen) else {
            session.failure = session.error(
                .invalidHandshake,
                "\(session.url.host) chose none of the sub-protocols offered")
            return false
        }
        subProtocol = chosen
        return true
    }

    /// Returns whether anybody still wants the connection.
    func opened(_ session: ClientSession, _ held: borrowing HeldLoop) -> Bool {
        guard !session.phase.isGivenUp else { return false }
        let isWanted = connection.opened(
            session.answerHead, subProtocol: subProtocol, tls: session.tls?.info,
            compresses: compression?.inputSize != nil)
        guard isWanted else { return false }
        session.enter(.open)
        session.addresses = []
        session.stopLimit(held)
        session.forgetSecuring()
        session.tls?.connectionOpened()
        // What a connection before this one has left unread may fill the queue.
        if let wsi = session.wsi {
            if let socket = session.socket { reading.open(socket, held) }
            if connection.query({ $0.inbound.pauseIfFull() }) { pauseReading(wsi, held) }
        }
        startKeepAlive(session, held)
        return true
    }

    /// Why there is no connection.
    func judge(
        _ outcome: AnswerReader.Outcome, _ reader: AnswerReader, _ detail: String?, _ session: ClientSession
    ) -> WebSocketError {
        guard outcome == .answer, let status = session.response?.status else {
            return session.failure(of: outcome, reader, " the handshake", detail: detail)
        }
        if session.securingFailed(detail ?? ""), let failure = session.failure { return failure }
        let hint =
            switch status.kind {
            case .clientError where session.wantsTLS: session.useTLS
            case .redirection: "; redirects are followed as far as followRedirects says"
            case .clientError: "; check the path and the credentials"
            default: ""
            }
        return session.error(
            .invalidHandshake,
            "\(session.url.host) refused the WebSocket handshake with status \(status.code)\(hint)",
            detail: detail)
    }

    /// What lws finds wrong with an answer with 101; `nil` where there was none.
    func objection(_ detail: String, _ session: ClientSession) -> WebSocketError? {
        guard let response = session.response else { return nil }
        if detail.contains("OOM") { return session.upgradeFailed("could not be set up: out of memory", detail) }
        if detail.contains("read failed") {
            // It was there when we looked: the connection was reset since, or the system is short of memory.
            return session.upgradeFailed("ended during the handshake", detail)
        }
        let why = words(detail, of: response)
        return session.error(
            .invalidHandshake, "\(session.url.host) sent an invalid WebSocket handshake: \(why)", detail: detail)
    }

    private func words(_ detail: String, of response: HTTPResponse) -> String {
        switch detail {
        case _ where detail.contains("Accept hash"): "its Sec-WebSocket-Accept does not match the key"
        case _ where detail.contains("ACCEPT missing"): "it has no Sec-WebSocket-Accept"
        case _ where detail.contains("Upgrade"), _ where detail.contains("UPGRADE"):
            "its Upgrade or Connection field is wrong"
        case _ where detail.contains("PROTOCOL"): "it names a sub-protocol that was not offered"
        case _ where detail.contains("EXT"): "it names an extension that was not offered"
        case _ where detail.contains("parsing header"):
            "libwebsockets cannot hold its \(response.headerFields.count) header fields: it has room for about 80 of "
                + "names that it knows"
        default: "libwebsockets says: \(detail)"
        }
    }
}

extension ClientSession {
    /// The server has agreed, and has no part in what goes wrong.
    fileprivate func upgradeFailed(_ why: String, _ detail: String?) -> WebSocketError {
        WebSocketError(.connection, "The connection to \(url.host) \(why)", host: url.host, libraryDetail: detail)
    }
}

// MARK: - Reads what lws acts on out of an answer to the upgrade

/// The header fields of an answer as lws has parsed them, for what it goes by. What applications see are those of the
/// ``ResponseHead``.
enum HandshakeResponse {
    /// The values of a field, in order.
    static func values(of token: lws_token_indexes, _ wsi: OpaquePointer) -> [String] {
        var values: [String] = []
        while let value = fragmentValue(wsi, token, Int32(values.count)) { values.append(value) }
        return values
    }

    /// The value of a field that comes once.
    static func value(of token: lws_token_indexes, _ wsi: OpaquePointer) -> String? {
        fragmentValue(wsi, token, 0)
    }

    private static func fragmentValue(
        _ wsi: OpaquePointer, _ token: lws_token_indexes, _ fragment: Int32
    ) -> String? {
        let length = lws_hdr_fragment_length(wsi, token, fragment)
        guard length > 0 else { return nil }
        var buffer = [CChar](repeating: 0, count: Int(length) + 1)
        guard lws_hdr_copy_fragment(wsi, &buffer, length + 1, token, fragment) >= 0 else { return nil }
        return String(decoding: buffer.prefix(Int(length)).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
