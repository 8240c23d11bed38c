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

    /// - Parameter done: called once, on the loop.
    init(
        _ post: HTTPPost, by route: Route, to addresses: [ResolvedAddress], until deadline: Deadline,
        tls: TLSContext?,
        lease: LoopLease, done: @escaping @Sendable (Result<HTTPAnswer, WebSocketError>) -> Void
    ) {
        self.post = post
        self.done = done
        super.init(post.url, by: route, to: addresses, until: deadline, tls: tls, lease: lease)
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
            done(.success(HTTPAnswer(response: response, body: responseBody?.bytes ?? [])))
        } else {
            // Half an answer says nothing of whether the next will be whole.
            let cut = WebSocketError(
                .connection, "\(url.host) ended the connection before its answer was complete", host: url.host)
            done(.failure(failure ?? cut))
        }
    }

    // What does not fit into lws's places for it, as in `HandshakeRequest`.
    private var targetForLWS: String { url.target.utf8.count <= 1900 ? url.target : "/stand-in" }
    private var authorityForLWS: String { url.authority.utf8.count <= 100 ? url.authority : "stand-in.invalid" }

    // MARK: - What lws reports

    private func appendHeaders(
        _ end: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>, available: Int, _ wsi: OpaquePointer
    ) -> Bool {
        requestWasWritten = true
        let beginning = "POST \(targetForLWS) HTTP/1.1\r\n"
        guard var written = WrittenRequest(end, available: available, beginning: beginning),
            written.replace("POST \(targetForLWS) HTTP/1.1", with: "POST \(url.target) HTTP/1.1"),
            written.replace("Host: \(authorityForLWS)", with: "Host: \(url.authority)")
        else { return requestDoesNotFit() }
        for field in post.fields { written.text += "\(field.name.rawName): \(field.value)\r\n" }
        written.text += "Content-Length: \(post.body.count)\r\n"
        serviceBuffer = written.commit()
        guard serviceBuffer != nil else { return requestDoesNotFit() }
        lws_client_http_body_pending(wsi, 1)
        lws_callback_on_writable(wsi)
        return true
    }

    private func requestDoesNotFit() -> Bool {
        failure = error(.invalidArgument, "The request to \(url.host) does not fit into libwebsockets' buffer")
        return false
    }

    private func writable(_ wsi: OpaquePointer) -> Bool {
        guard requestWasWritten, !bodyWasWritten else { return true }
        bodyWasWritten = true
        lws_client_http_body_pending(wsi, 0)
        // lws keeps what the socket does not take at once.
        var buffer = [UInt8](repeating: 0, count: clws_pre) + post.body
        let count = post.body.count
        let written = buffer.withUnsafeMutableBufferPointer { bytes in
            bytes.baseAddress.map { lws_write(wsi, $0 + clws_pre, count, LWS_WRITE_HTTP_FINAL) } ?? -1
        }
        return written >= count
    }

    /// The head of the answer is there.
    private func answered(_ wsi: OpaquePointer) -> Bool {
        response = HandshakeResponse.read(wsi, buffer: serviceBuffer)
        guard response != nil else {
            failure = error(.invalidHandshake, "\(url.host) did not answer with a valid HTTP response")
            return false
        }
        responseBody = ResponseBody(limit: post.longestAnswer)
        return true
    }

    /// More of its body is. Returns whether to wait for more.
    private func readBody(_ wsi: OpaquePointer) -> Bool {
        guard let response, let responseBody, !wasOpened else { return false }
        switch responseBody.read(response, wsi) {
        case .more: return true
        case .over: return false
        case .cut:
            wasOpened = false
            return false
        case .unreadable:
            failure = error(.invalidHandshake, "\(url.host) answered in chunks that cannot be read")
            return false
        case .tooLong:
            failure = error(.payloadTooLarge, "\(url.host) answered with more than \(post.longestAnswer) bytes")
            return false
        }
    }

    private func connectionFailed(_ detail: String) {
        guard failure == nil, !securingFailed(detail), !proxyFailed(detail) else { return }
        if detail.hasPrefix("HS:") || detail.contains("parsing header") {
            failure = error(
                .invalidHandshake, "\(url.host) did not answer with a valid HTTP response", detail: detail)
        } else if requestWasWritten {
            failure = error(.connection, "\(url.host) ended the connection before it answered", detail: detail)
        } else {
            failure = unreachable(detail: detail)
        }
    }

    /// TCP has ended. Without a length, and without chunks, that is the body's end (RFC 9112, section 6.3).
    private func closed(_ wsi: OpaquePointer) {
        guard let fields = response?.headerFields, failure == nil else { return }
        if fields[.contentLength] == nil, fields[.transferEncoding] == nil { wasOpened = true }
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
                end.assumingMemoryBound(to: UnsafeMutablePointer<CChar>?.self), available: argument.count, wsi)
        case LWS_CALLBACK_CLIENT_HTTP_WRITEABLE: return writable(wsi)
        case LWS_CALLBACK_ESTABLISHED_CLIENT_HTTP: return answered(wsi)
        case LWS_CALLBACK_RECEIVE_CLIENT_HTTP: return readBody(wsi)
        case LWS_CALLBACK_RECEIVE_CLIENT_HTTP_READ: responseBody?.add(UnsafeRawBufferPointer(argument))
        case LWS_CALLBACK_COMPLETED_CLIENT_HTTP:
            wasOpened = failure == nil && response != nil
            // Or lws would make the connection ready for another request.
            return false
        case LWS_CALLBACK_CLOSED_CLIENT_HTTP: closed(wsi)
        case LWS_CALLBACK_CLIENT_CONNECTION_ERROR:
            connectionFailed(String(decoding: argument.prefix { $0 != 0 }, as: UTF8.self))
        case LWS_CALLBACK_TIMER: return !timerFired(held)
        case LWS_CALLBACK_WSI_DESTROY: attemptEnded(held)
        default: break
        }
        return true
    }
}
