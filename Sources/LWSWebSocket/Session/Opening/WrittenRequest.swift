// The request as libwebsockets is asked for it, and as it has written it.

internal import CLibWebSockets
internal import LWSServiceLoop

/// The head of a request as lws has it in LWS_CALLBACK_CLIENT_APPEND_HANDSHAKE_HEADER, before it adds the empty line.
struct WrittenRequest {
    var text: String
    private let start: UnsafeMutablePointer<CChar>
    private let end: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>
    private let size: Int

    /// - Parameters:
    ///   - end: where lws's pointer to the request's end is.
    ///   - available: bytes that lws leaves for us behind it.
    ///   - beginning: how the request begins; where it does not, it is not where it is expected.
    init?(_ end: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>, available: Int, beginning: String) {
        guard let tail = end.pointee else { return nil }
        // lws passes what is left of its buffer less 12 bytes (the same in 4.1 and 4.5), so this is its start.
        let start = tail + available + 12 - LoopContext.serviceBufferSize
        guard start < tail else { return nil }
        let written = UnsafeRawBufferPointer(start: start, count: tail - start)
        guard let text = String(validating: written.bindMemory(to: UInt8.self), as: UTF8.self),
            text.hasPrefix(beginning)
        else { return nil }
        self.text = text
        self.start = start
        self.end = end
        size = written.count + available
    }

    /// Replaces a whole line. Returns whether it was there.
    mutating func replace(_ line: String, with right: String) -> Bool {
        guard line != right else { return true }
        guard let place = text.firstRange(of: line + "\r\n") else { return false }
        text.replaceSubrange(place, with: right + "\r\n")
        return true
    }

    /// Puts the text in place of what lws has written. Returns whether it fits.
    mutating func commit() -> Bool {
        text.withUTF8 { utf8 in
            guard let source = utf8.baseAddress, utf8.count <= size else { return false }
            UnsafeMutableRawPointer(start).copyMemory(from: source, byteCount: utf8.count)
            end.pointee = start + utf8.count
            return true
        }
    }
}

// MARK: - What lws is told of a request, and how that is put right

/// The first lines of a request.
///
/// lws writes the request line into at most 2,048 bytes and the Host line into at most 128, and what is longer
/// it cuts off, line end and all (`lws_generate_client_handshake`, http/client/client-http.c). So it is given
/// short stand-ins for what would not fit, and those are replaced in what it has written.
struct RequestForLWS {
    /// `nil`: the upgrade to WebSocket, with GET.
    var method: String?
    let target: String
    let authority: String
    /// The list of sub-protocols for lws to send, and to compare the answer with.
    var subProtocols: String?

    private var givenTarget: String { target.utf8.count <= 1900 ? target : "/stand-in" }
    private var givenAuthority: String { authority.utf8.count <= 100 ? authority : "stand-in.invalid" }

    /// Has lws connect, and ask for this.
    func connect(with info: inout lws_client_connect_info) -> OpaquePointer? {
        withCString(givenTarget) { target in
            withCString(givenAuthority) { authority in
                withCString(ClientVhost.protocolName) { name in
                    withCString(method) { method in
                        withCString(subProtocols) { subProtocols in
                            info.path = target
                            info.host = authority
                            info.local_protocol_name = name
                            info.method = method
                            info.protocol = subProtocols
                            return lws_client_connect_via_info(&info)
                        }
                    }
                }
            }
        }
    }

    private func withCString<Result>(_ text: String?, _ body: (UnsafePointer<CChar>?) -> Result) -> Result {
        guard let text else { return body(nil) }
        return text.withCString(body)
    }

    /// The request that lws has written, with these lines put right, in LWS_CALLBACK_CLIENT_APPEND_HANDSHAKE_HEADER.
    ///
    /// - Parameters:
    ///   - end: where lws's pointer to the request's end is.
    ///   - available: bytes that lws leaves for us behind it.
    /// - Returns: `nil` where it is not as expected.
    func written(
        _ end: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>, available: Int
    ) -> WrittenRequest? {
        let method = method ?? "GET"
        let line = "\(method) \(givenTarget) HTTP/1.1"
        guard var written = WrittenRequest(end, available: available, beginning: line + "\r\n"),
            written.replace(line, with: "\(method) \(target) HTTP/1.1"),
            written.replace("Host: \(givenAuthority)", with: "Host: \(authority)")
        else { return nil }
        return written
    }
}
