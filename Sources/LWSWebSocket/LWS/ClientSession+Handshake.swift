// The upgrade: its request, and what lws makes of the answer.

internal import CLibWebSockets
internal import HTTPTypes
internal import LWSServiceLoop

extension ClientSession {
    /// The request is written and about to be sent.
    func appendHeaders(
        _ end: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>, available: Int, _ wsi: OpaquePointer,
        _ held: borrowing HeldLoop
    ) -> Bool {
        // From here on the address has proved itself, and what goes wrong is not its fault.
        reached(.answer)
        watchAnswer(wsi, expectsUpgrade: true, longestBody: ResponseBody.refusalLimit, held)
        guard request.complete(end, available: available) else {
            failure = error(.invalidArgument, "The handshake's request does not fit into libwebsockets' buffer")
            return false
        }
        return true
    }

    /// What the server answers is clear before lws has read it.
    func judge(_ outcome: AnswerReader.Outcome, _ held: borrowing HeldLoop) {
        guard let answer else { return }
        takeAnswer(answer)
        guard outcome == .upgrade else {
            failure = refusal(outcome, answer)
            abort(held)
            return
        }
        wasHandedOver = true
        answer.handOver(held)
        guard wasOpened else { return }
        // What an open connection has no use for.
        self.answer = nil
        addresses = []
    }

    /// lws judges an answer with 101 next.
    /// Returns whether it may: what it says of extensions is checked before lws acts on it.
    func readResponse(_ wsi: OpaquePointer) -> Bool {
        answer?.wasRead(wsi)
        // From lws's tokens: what it acts on, while the fields of `response` are what could be seen of them.
        let fields = HandshakeResponse.values(of: WSI_TOKEN_EXTENSIONS, wsi)
        switch CompressionAgreement.read(fields, offered: request.compression) {
        case .declined: break
        case .agreed(let agreement): self.agreement = agreement
        case .invalid(let why):
            failure = error(
                .invalidHandshake, "\(connection.url.host) sent an invalid WebSocket handshake: \(why)")
            return false
        }
        return true
    }

    /// lws finds nothing wrong with the answer. Returns whether it answers the offer of sub-protocols, too, which lws
    /// takes for optional (`lws_client_ws_upgrade`).
    func checkSubProtocol(_ wsi: OpaquePointer) -> Bool {
        guard !request.subProtocols.isEmpty else { return true }
        let chosen = HandshakeResponse.value(of: WSI_TOKEN_PROTOCOL, wsi)
        guard let chosen, request.subProtocols.contains(chosen) else {
            failure = error(
                .invalidHandshake,
                "\(connection.url.host) chose none of the sub-protocols offered "
                    + "(\(request.subProtocols.joined(separator: ", ")))")
            return false
        }
        subProtocol = chosen
        return true
    }

    /// Returns whether anybody still wants the connection.
    func opened(_ held: borrowing HeldLoop) -> Bool {
        wasOpened = connection.opened(
            answerHead, subProtocol: subProtocol, tls: tls?.info, compresses: compression?.inputSize != nil)
        guard wasOpened else { return false }
        stopSecuring(held)
        tls?.connectionOpened()
        // What a connection before this one has left unread may fill the queue.
        if let wsi {
            if let socket { reading.open(socket, held) }
            if connection.query({ $0.inbound.pauseIfFull() }) { reading.pause(wsi, held) }
        }
        startKeepAlive(held)
        return true
    }

    func connectionFailed(_ detail: String, _ held: borrowing HeldLoop) {
        guard failure == nil else { return }
        if let answer, !wasHandedOver {
            let outcome = answer.lookAtLast(held)
            takeAnswer(answer)
            failure = refusal(outcome, answer, detail)
            return
        }
        guard !securingFailed(detail), !proxyFailed(detail) else { return }
        guard let response else {
            failure = unreachable(detail: detail)
            return
        }
        failure = error(
            .invalidHandshake,
            "\(url.host) sent an invalid WebSocket handshake: \(objection(detail, to: response))", detail: detail)
    }

    /// Why there is no connection.
    private func refusal(
        _ outcome: AnswerReader.Outcome, _ answer: AnswerReader, _ detail: String? = nil
    ) -> WebSocketError {
        guard outcome == .answer, let status = response?.status else {
            return failure(of: outcome, answer, " the handshake", detail: detail)
        }
        if securingFailed(detail ?? ""), let failure { return failure }
        let hint =
            switch status.kind {
            case .clientError where wantsTLS: useTLS
            case .redirection: "; redirects are followed as far as followRedirects says"
            case .clientError: "; check the path and the credentials"
            default: ""
            }
        return error(
            .invalidHandshake, "\(url.host) refused the WebSocket handshake with status \(status.code)\(hint)",
            detail: detail)
    }

    /// What lws finds wrong with an answer with 101.
    private func objection(_ detail: String, to response: HTTPResponse) -> String {
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
