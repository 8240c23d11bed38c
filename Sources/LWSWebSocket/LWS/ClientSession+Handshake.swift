// The upgrade: its request, and what lws makes of the answer.

internal import CLibWebSockets
internal import HTTPTypes
internal import LWSServiceLoop

extension ClientSession {
    /// The request is written and about to be sent.
    func appendHeaders(_ end: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>, available: Int) -> Bool {
        // From here on the address has proved itself, and what goes wrong is not its fault.
        requestWasWritten = true
        reached(.answer)
        guard let buffer = request.complete(end, available: available) else {
            failure = error(.invalidArgument, "The handshake's request does not fit into libwebsockets' buffer")
            return false
        }
        serviceBuffer = buffer
        return true
    }

    /// The answer has arrived; lws judges it next.
    /// Returns whether it may: what it says of extensions is checked before lws acts on it.
    func readResponse(_ wsi: OpaquePointer) -> Bool {
        response = HandshakeResponse.read(wsi, buffer: serviceBuffer)
        guard let response else { return true }
        guard response.status.code == 101 else {
            let body = ResponseBody()
            responseBody = body
            body.read(response, wsi)
            return true
        }
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
            response, subProtocol: subProtocol, tls: tls?.info, compresses: compression?.inputSize != nil)
        guard wasOpened else { return false }
        stopSecuring(held)
        tls?.connectionOpened()
        // What a connection before this one has left unread may fill the queue.
        if let wsi {
            reading.watch(wsi, held)
            if connection.query({ $0.inbound.pauseIfFull() }) { reading.pause(wsi, held) }
        }
        startKeepAlive(held)
        return true
    }

    func connectionFailed(_ detail: String) {
        guard failure == nil, !securingFailed(detail), !proxyFailed(detail) else { return }
        let host = connection.url.host
        if let response {
            failure = error(.invalidHandshake, words(for: response, from: host, detail), detail: detail)
        } else if wasAnsweredInTLS || detail.hasPrefix("HS:") || detail.contains("parsing header") {
            let hint = wasAnsweredInTLS ? useTLS : ""
            failure = error(
                .invalidHandshake, "\(host) did not answer the handshake with a valid HTTP response\(hint)",
                detail: detail)
        } else if requestWasWritten {
            // As servers do that have OpenSSL read the request, without an alert.
            let hint = url.isSecure ? "" : "; if it speaks TLS on port \(url.port), use a wss: URL"
            failure = error(
                .connection, "\(host) ended the connection before it answered the handshake\(hint)", detail: detail)
        } else {
            failure = unreachable(detail: detail)
        }
    }

    private var useTLS: String { "; it speaks TLS on port \(url.port): use a wss: URL" }

    /// Whether what has come in place of an answer is an alert of TLS (RFC 8446, sections 5.1 and 6).
    private var wasAnsweredInTLS: Bool {
        guard requestWasWritten, !url.isSecure, let answer = serviceBuffer?.dropFirst(clws_pre) else { return false }
        return answer.starts(with: [21, 3])
    }

    /// How servers say that they expect TLS: nginx, Go's and Apache's.
    private static let wishesForTLS = ["HTTPS port", "HTTPS server", "SSL-enabled server port"]

    private var wantsTLS: Bool {
        guard !url.isSecure, let body = responseBody?.bytes else { return false }
        let text = String(decoding: body, as: UTF8.self)
        return Self.wishesForTLS.contains { text.contains($0) }
    }

    private func words(for response: HTTPResponse, from host: String, _ detail: String) -> String {
        let status = response.status
        guard status.code == 101 else {
            let hint =
                switch status.kind {
                case .clientError where wantsTLS: useTLS
                case .redirection: "; redirects are followed as far as followRedirects says"
                case .clientError: "; check the path and the credentials"
                default: ""
                }
            return "\(host) refused the WebSocket handshake with status \(status.code)\(hint)"
        }
        let cause =
            switch detail {
            case _ where detail.contains("Accept hash"): "its Sec-WebSocket-Accept does not match the key"
            case _ where detail.contains("ACCEPT missing"): "it has no Sec-WebSocket-Accept"
            case _ where detail.contains("Upgrade"), _ where detail.contains("UPGRADE"):
                "its Upgrade or Connection field is wrong"
            case _ where detail.contains("PROTOCOL"): "it names a sub-protocol that was not offered"
            case _ where detail.contains("EXT"): "it names an extension that was not offered"
            default: "libwebsockets says: \(detail)"
            }
        return "\(host) sent an invalid WebSocket handshake: \(cause)"
    }
}
