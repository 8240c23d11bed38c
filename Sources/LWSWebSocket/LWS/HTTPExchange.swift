// One request over HTTP/1.1 with its answer, as it lives on the loop.

internal import CLibWebSockets
internal import HTTPTypes
internal import LWSServiceLoop

/// What is asked, by POST.
struct HTTPPost: Sendable {
    /// The `http:` or `https:` URL in its WebSocket form.
    let url: WebSocketURL
    var fields: HTTPFields
    let body: [UInt8]
    /// Bytes of the longest answer that is read.
    var longestAnswer = 65536
}

/// A complete answer.
struct HTTPAnswer: Sendable {
    let response: HTTPResponse
    let body: [UInt8]
}

/// An exchange with a server by lws's HTTP client. Each has a connection of its own.
final class HTTPExchange: ClientAttempt {
    private let post: HTTPPost
    private let done: @Sendable (Result<HTTPAnswer, WebSocketError>) -> Void
    private var bodyWasWritten = false
    private var bodyWasSent = false

    /// - Parameter done: called once, on the loop.
    init(
        _ post: HTTPPost, by route: Route, to addresses: [ResolvedAddress], until deadline: Deadline,
        tls: TLSContext?,
        lease: LoopLease, done: @escaping @Sendable (Result<HTTPAnswer, WebSocketError>) -> Void
    ) {
        self.post = post
        self.done = done
        super.init(
            by: route, to: addresses, until: deadline, tls: tls, userAgent: post.fields[.userAgent],
            lease: lease)
    }

    override func connect(with info: inout lws_client_connect_info) -> OpaquePointer? {
        targetForLWS.withCString { target in
            authorityForLWS.withCString { authority in
                ClientVhost.protocolName.withCString { name in
                    "POST".withCString { method in
                        info.path = target
                        info.host = authority
                        info.local_protocol_name = name
                        info.method = method
                        return lws_client_connect_via_info(&info)
                    }
                }
            }
        }
    }

    override func ended(_ held: borrowing HeldLoop) {
        if wasOpened, let response {
            done(.success(HTTPAnswer(response: response, body: responseBody ?? [])))
        } else {
            done(.failure(failure ?? cut()))
        }
    }

    /// Half an answer says nothing of whether the next will be whole.
    private func cut() -> WebSocketError {
        WebSocketError(.connection, "\(url.host) ended the connection before its answer was complete", host: url.host)
    }

    // What does not fit into lws's places for it, as in `HandshakeRequest`.
    private var targetForLWS: String { url.target.utf8.count <= 1900 ? url.target : "/stand-in" }
    private var authorityForLWS: String { url.authority.utf8.count <= 100 ? url.authority : "stand-in.invalid" }

    // MARK: - What lws reports

    private func appendHeaders(
        _ end: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>, available: Int, _ wsi: OpaquePointer,
        _ held: borrowing HeldLoop
    ) -> Bool {
        watchAnswer(wsi, expectsUpgrade: false, longestBody: post.longestAnswer, held)
        let beginning = "POST \(targetForLWS) HTTP/1.1\r\n"
        guard var written = WrittenRequest(end, available: available, beginning: beginning),
            written.replace("POST \(targetForLWS) HTTP/1.1", with: "POST \(url.target) HTTP/1.1"),
            written.replace("Host: \(authorityForLWS)", with: "Host: \(url.authority)")
        else { return requestDoesNotFit() }
        for field in post.fields { written.text += "\(field.name.rawName): \(field.value)\r\n" }
        written.text += "Content-Length: \(post.body.count)\r\n"
        guard written.commit() else { return requestDoesNotFit() }
        lws_client_http_body_pending(wsi, 1)
        lws_callback_on_writable(wsi)
        return true
    }

    private func requestDoesNotFit() -> Bool {
        failure = error(.invalidArgument, "The request to \(url.host) does not fit into libwebsockets' buffer")
        return false
    }

    private func writable(_ wsi: OpaquePointer, _ held: borrowing HeldLoop) -> Bool {
        guard requestWasWritten, !requestWasSent else { return true }
        guard bodyWasWritten || writeBody(wsi) else { return false }
        // What the socket did not take at once lws keeps, and calls again when it has sent that.
        bodyWasSent = lws_partial_buffered(wsi) == 0
        if requestWasSent, let answer { held.whenPassEnds(answer) } else { lws_callback_on_writable(wsi) }
        return true
    }

    private func writeBody(_ wsi: OpaquePointer) -> Bool {
        bodyWasWritten = true
        lws_client_http_body_pending(wsi, 0)
        var buffer = [UInt8](repeating: 0, count: clws_pre) + post.body
        let count = post.body.count
        let written = buffer.withUnsafeMutableBufferPointer { bytes in
            bytes.baseAddress.map { lws_write(wsi, $0 + clws_pre, count, LWS_WRITE_HTTP_FINAL) } ?? -1
        }
        return written >= count
    }

    override var requestWasSent: Bool { bodyWasSent }

    override class var secureURL: String { "an https: URL" }

    override func answered(_ outcome: AnswerReader.Outcome, _ held: borrowing HeldLoop) {
        guard let answer else { return }
        judge(outcome, answer, nil)
        abort(held)
    }

    private func judge(_ outcome: AnswerReader.Outcome, _ answer: AnswerReader, _ detail: String?) {
        guard failure == nil, !wasOpened else { return }
        takeAnswer(answer)
        guard outcome == .answer, let body = answer.body else {
            failure = failure(of: outcome, answer, "", detail: detail)
            return
        }
        switch body.progress {
        case .complete: wasOpened = true
        case .more: failure = cut()
        case .unreadable:
            failure = error(
                .invalidHandshake, "\(url.host) answered with a body whose length or coding cannot be understood")
        case .tooLong:
            failure = error(.payloadTooLarge, "\(url.host) answered with more than \(post.longestAnswer) bytes")
        }
    }

    private func connectionFailed(_ detail: String, _ held: borrowing HeldLoop) {
        guard failure == nil, !wasOpened else { return }
        if let answer {
            judge(answer.lookAtLast(held), answer, detail)
        } else if !securingFailed(detail), !proxyFailed(detail) {
            failure = unreachable(detail: detail)
        }
    }

    override func handle(
        _ reason: lws_callback_reasons, _ wsi: OpaquePointer, _ argument: UnsafeMutableRawBufferPointer,
        _ held: borrowing HeldLoop
    ) -> Bool {
        switch reason {
        case LWS_CALLBACK_WSI_CREATE:
            connected(wsi, held)
        case LWS_CALLBACK_CLIENT_APPEND_HANDSHAKE_HEADER:
            guard let end = argument.baseAddress else { return false }
            return appendHeaders(
                end.assumingMemoryBound(to: UnsafeMutablePointer<CChar>?.self), available: argument.count, wsi,
                held)
        case LWS_CALLBACK_CLIENT_HTTP_WRITEABLE: return writable(wsi, held)
        case LWS_CALLBACK_ESTABLISHED_CLIENT_HTTP:
            // Only while lws has yet to send a part of the request.
            failure = error(.connection, "\(url.host) answered before it had been sent the whole request")
            return false
        case LWS_CALLBACK_CLIENT_CONNECTION_ERROR:
            connectionFailed(String(decoding: argument.prefix { $0 != 0 }, as: UTF8.self), held)
        case LWS_CALLBACK_CLOSED_CLIENT_HTTP:
            if answer != nil { connectionFailed("", held) }
        case LWS_CALLBACK_WSI_DESTROY: attemptEnded(held)
        default: break
        }
        return true
    }
}
