// The request of the upgrade: what lws writes of it, and what is added or put right.

internal import CLibWebSockets
internal import HTTPTypes
internal import LWSServiceLoop

/// What the handshake's request says. An object, for a client keeps it, and what the loop has of its connection.
final class HandshakeRequest: Sendable {
    let target: String
    let authority: String
    /// The application's fields, but for Host and Cookie, and a User-Agent.
    let fields: HTTPFields
    /// The value of the one Cookie field.
    let cookies: String?
    /// In order of preference.
    let subProtocols: [String]
    /// What is offered of compression; `nil`: nothing.
    let compression: CompressionOptions?

    /// The longest request: it leaves in one `send`, of which lws does not repeat an unsent part
    /// (`lws_client_socket_service`, LRS_H1C_ISSUE_HANDSHAKE2), so it has to fit into a fresh socket's buffer.
    static let largest = 16384

    /// - Parameter host: for the error where the request is too long.
    init(
        target: String, authority: String, fields: HTTPFields, cookies: [String], subProtocols: [String],
        compression: CompressionOptions?, host: String
    ) throws(WebSocketError) {
        self.target = target
        self.authority = authority
        self.fields = fields
        self.cookies = cookies.isEmpty ? nil : cookies.joined(separator: "; ")
        self.subProtocols = subProtocols
        self.compression = compression
        try checkSize(host: host)
    }

    /// The same with credentials, which take the place of fields of the same name.
    /// - Throws: `auth` where they cannot be sent.
    func adding(_ credentials: HTTPFields, host: String) throws(WebSocketError) -> HandshakeRequest {
        guard !credentials.isEmpty else { return self }
        var fields = fields
        for name in Set(credentials.map(\.name)) where name != .cookie { fields[name] = nil }
        do throws(WebSocketError) {
            for field in credentials {
                try field.name.checkMayBeSet("it")
                guard field.name.canonicalName != "host" else {
                    throw WebSocketError(.invalidArgument, "it: Host belongs to the handshake and cannot be set")
                }
                if field.name != .cookie { fields.append(field) }
            }
            return try HandshakeRequest(
                target: target, authority: authority, fields: fields,
                cookies: [credentials[.cookie], cookies].compactMap(\.self), subProtocols: subProtocols,
                compression: compression, host: host)
        } catch {
            throw WebSocketError(
                .auth, "What auth adds to the handshake with \(host) cannot be sent: \(error)", host: host)
        }
    }

    /// The same with what tells the server of a trace, unless the application has set some of that itself: parts of two traces do not
    /// go together. Fields that cannot be sent are left out, for a trace does not get in the way of what it watches.
    func adding(trace: HTTPFields, host: String) -> HandshakeRequest {
        let additions = trace.filter { field in
            let isOurs = (try? field.name.checkMayBeSet("it")) == nil
            return !isOurs && !["host", "cookie"].contains(field.name.canonicalName)
        }
        guard !additions.isEmpty, additions.allSatisfy({ fields[$0.name] == nil }) else { return self }
        let longer = try? HandshakeRequest(
            target: target, authority: authority, fields: HTTPFields(fields + additions),
            cookies: cookies.map { [$0] } ?? [], subProtocols: subProtocols, compression: compression, host: host)
        return longer ?? self
    }

    private func checkSize(host: String) throws(WebSocketError) {
        // lws's own part takes about 250 bytes.
        let offers = subProtocols.reduce(0) { $0 + $1.utf8.count + 2 }
        let size =
            target.utf8.count + authority.utf8.count + offers + (cookies?.utf8.count ?? 0)
            + fields.reduce(512) { $0 + $1.size }
        guard size <= Self.largest else {
            throw WebSocketError(
                .invalidArgument,
                "The handshake's request would have about \(size) bytes with its path, header fields, cookies and "
                    + "sub-protocols; at most \(Self.largest) can be sent", host: host)
        }
    }

    // MARK: - What lws is told, and what replaces it

    var forLWS: RequestForLWS {
        RequestForLWS(
            target: target, authority: authority,
            subProtocols: subProtocols.isEmpty ? nil : subProtocols.joined(separator: ", "))
    }

    /// Puts the last touches to the request that lws has written, in LWS_CALLBACK_CLIENT_APPEND_HANDSHAKE_HEADER.
    ///
    /// - Parameters:
    ///   - end: where lws's pointer to the request's end is; moved on by what is added.
    ///   - available: bytes that lws leaves for us behind it.
    /// - Returns: whether the request was as expected, and what it is now fits.
    func complete(_ end: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>, available: Int) -> Bool {
        guard var written = forLWS.written(end, available: available) else { return false }
        if let compression {
            let field = "Sec-WebSocket-Extensions: "
            guard written.replace(field + DeflateExtension.offer, with: field + compression.offer) else {
                return false
            }
        }
        for field in fields { written.text += "\(field.name.rawName): \(field.value)\r\n" }
        if let cookies { written.text += "Cookie: \(cookies)\r\n" }
        return written.commit()
    }
}

extension HTTPField {
    /// The bytes of its line.
    fileprivate var size: Int { name.rawName.utf8.count + value.utf8.count + 4 }
}

// MARK: - The request as libwebsockets is asked for it, and as it has written it

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
