// What a connection is to those who ask for something by HTTP/1.1.

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

/// One request with its answer, by lws's HTTP client. Each has a connection of its own, the ``ClientSession`` whose role this
/// is. Lives on the loop, too.
final class HTTPExchange {
    let post: HTTPPost
    private let done: @Sendable (Result<HTTPAnswer, WebSocketError>) -> Void
    private var bodyWasWritten = false
    private(set) var bodyWasSent = false

    /// - Parameter done: called once, on the loop.
    init(_ post: HTTPPost, done: @escaping @Sendable (Result<HTTPAnswer, WebSocketError>) -> Void) {
        self.post = post
        self.done = done
    }

    var request: RequestForLWS {
        RequestForLWS(method: "POST", target: post.url.target, authority: post.url.authority)
    }

    /// There is nothing more to come.
    func ended(_ session: ClientSession) {
        if session.failure == nil, let response = session.response {
            done(.success(HTTPAnswer(response: response, body: session.responseBody ?? [])))
        } else {
            done(.failure(session.failure ?? cut()))
        }
    }

    /// Half an answer says nothing of whether the next will be whole.
    private func cut() -> WebSocketError {
        let host = post.url.host
        return WebSocketError(.connection, "\(host) ended the connection before its answer was complete", host: host)
    }

    // MARK: - What lws reports

    private func appendHeaders(
        _ end: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>, available: Int, _ wsi: OpaquePointer,
        _ session: ClientSession, _ held: borrowing HeldLoop
    ) -> Bool {
        guard session.watchAnswer(wsi, expectsUpgrade: false, longestBody: post.longestAnswer, held) else {
            return false
        }
        guard write(request.written(end, available: available)) else {
            session.failure = session.error(
                .invalidArgument, "The request to \(post.url.host) does not fit into libwebsockets' buffer")
            return false
        }
        lws_client_http_body_pending(wsi, 1)
        lws_callback_on_writable(wsi)
        return true
    }

    private func write(_ head: WrittenRequest?) -> Bool {
        guard var head else { return false }
        for field in post.fields { head.text += "\(field.name.rawName): \(field.value)\r\n" }
        head.text += "Content-Length: \(post.body.count)\r\n"
        return head.commit()
    }

    private func writable(_ wsi: OpaquePointer, _ session: ClientSession, _ held: borrowing HeldLoop) -> Bool {
        guard case .asking(let reader) = session.phase, !bodyWasSent else { return true }
        guard bodyWasWritten || writeBody(wsi) else { return false }
        // What the socket did not take at once lws keeps, and calls again when it has sent that.
        bodyWasSent = lws_partial_buffered(wsi) == 0
        if bodyWasSent { held.whenPassEnds(reader) } else { lws_callback_on_writable(wsi) }
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

    /// Returns what is wrong with the answer; `nil` where all of it has come.
    func judge(
        _ outcome: AnswerReader.Outcome, _ reader: AnswerReader, _ detail: String?, _ session: ClientSession
    ) -> WebSocketError? {
        guard outcome == .answer, let body = reader.body else {
            return session.failure(of: outcome, reader, "", detail: detail)
        }
        let host = post.url.host
        switch body.progress {
        case .complete: return nil
        case .more: return cut()
        case .unreadable:
            return session.error(
                .invalidHandshake, "\(host) answered with a body whose length or coding cannot be understood")
        case .tooLong:
            return session.error(.payloadTooLarge, "\(host) answered with more than \(post.longestAnswer) bytes")
        }
    }

    func handle(
        _ reason: lws_callback_reasons, _ wsi: OpaquePointer, _ argument: UnsafeMutableRawBufferPointer,
        _ session: ClientSession, _ held: borrowing HeldLoop
    ) -> Bool {
        switch reason {
        case LWS_CALLBACK_WSI_CREATE:
            session.connected(wsi, held)
        case LWS_CALLBACK_CLIENT_APPEND_HANDSHAKE_HEADER:
            guard let end = argument.baseAddress else { return false }
            return appendHeaders(
                end.assumingMemoryBound(to: UnsafeMutablePointer<CChar>?.self), available: argument.count, wsi,
                session, held)
        case LWS_CALLBACK_CLIENT_HTTP_WRITEABLE: return writable(wsi, session, held)
        case LWS_CALLBACK_ESTABLISHED_CLIENT_HTTP:
            // Only while lws has yet to send a part of the request.
            session.failure = session.error(
                .connection, "\(post.url.host) answered before it had been sent the whole request")
            return false
        case LWS_CALLBACK_CLIENT_CONNECTION_ERROR:
            session.connectionFailed(String(decoding: argument.prefix { $0 != 0 }, as: UTF8.self), held)
        case LWS_CALLBACK_CLOSED_CLIENT_HTTP:
            if case .asking = session.phase { session.connectionFailed("", held) }
        case LWS_CALLBACK_WSI_DESTROY: session.attemptEnded(held)
        default: break
        }
        return true
    }
}
