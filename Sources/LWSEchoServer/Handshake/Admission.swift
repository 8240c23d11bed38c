// Whether a handshake is answered with 101, and other answers to it.

import CLibWebSockets
import LWSServiceLoop

/// The questions that a handshake has to answer before lws goes on with it.
///
/// lws itself ends the connection without a word for most of what is wrong with a handshake
/// (roles/ws/server-ws.c: lws_process_ws_upgrade, handshake_0405), so they are asked before.
struct Admission {
    private let subProtocols: [String]
    private let isCompressionEnabled: Bool
    private let isStopping: Bool

    init(_ configuration: EchoServer.Configuration, isStopping: Bool) {
        subProtocols = configuration.subProtocols
        isCompressionEnabled = configuration.isCompressionEnabled
        self.isStopping = isStopping
    }

    /// `nil`: lws may go on with the upgrade.
    func refusal(of wsi: OpaquePointer, upgradeTo kind: [UInt8], _ held: borrowing HeldLoop) -> Refusal? {
        guard !isStopping else { return Refusal(503, "the server is stopping") }
        guard let path = Request.header(WSI_TOKEN_GET_URI, of: wsi, held) else {
            return Refusal(405, "a WebSocket handshake is a GET request", header: ("allow:", "GET"))
        }
        do throws(EchoPath.Failure) {
            let path = try EchoPath(path)
            if case .refuse(let status) = path {
                return Refusal(status, "refused with \(status)", header: ("x-refused-by:", "lws-echo-server"))
            }
        } catch {
            switch error {
            case .unknown: return Refusal(404, "no such path")
            case .malformed(let why): return Refusal(400, why)
            }
        }
        guard String(decoding: kind, as: UTF8.self).lowercased() == "websocket" else {
            return Refusal(426, "this is a WebSocket server", header: ("upgrade:", "websocket"))
        }
        return handshakeRefusal(of: wsi, held)
    }

    /// Whether lws can take these offers. It looks at 255 bytes of them, and copies them all to where the answer begins 384
    /// bytes further on (handshake_0405). A tab ends an offer for it, as a comma does.
    private func canOffer(_ extensions: [UInt8]) -> Bool {
        let read = isCompressionEnabled ? DeflateOffer.lengthRead(extensions) : extensions.count
        return extensions.count < 380 && read < 250 && !extensions.contains(UInt8(ascii: "\t"))
    }

    private func handshakeRefusal(of wsi: OpaquePointer, _ held: borrowing HeldLoop) -> Refusal? {
        guard Request.header(WSI_TOKEN_VERSION, of: wsi, held) == Array("13".utf8) else {
            return Refusal(426, "the WebSocket version is 13", header: ("sec-websocket-version:", "13"))
        }
        guard Request.header(WSI_TOKEN_KEY, of: wsi, held)?.count == 24 else {
            return Refusal(400, "Sec-WebSocket-Key is missing or not 24 characters")
        }
        guard Request.header(WSI_TOKEN_HOST, of: wsi, held) != nil else { return Refusal(400, "Host is missing") }
        // lws_process_ws_upgrade reads the first two into 128 bytes.
        guard (Request.header(WSI_TOKEN_CONNECTION, of: wsi, held)?.count ?? 0) < 120,
            (Request.header(WSI_TOKEN_PROTOCOL, of: wsi, held)?.count ?? 0) < 120,
            canOffer(Request.header(WSI_TOKEN_EXTENSIONS, of: wsi, held) ?? [])
        else { return Refusal(431, "Connection, Sec-WebSocket-Protocol or -Extensions is too long, or has a tab") }
        guard let offered = Request.header(WSI_TOKEN_PROTOCOL, of: wsi, held) else { return nil }
        let names = offered.split(separator: UInt8(ascii: ",")).map { name in
            String(decoding: name.filter { $0 != UInt8(ascii: " ") && $0 != UInt8(ascii: "\t") }, as: UTF8.self)
        }
        // lws knows no connection without a sub-protocol for a client that has listed some: it would hang up.
        return names.contains(where: subProtocols.contains) ? nil : Refusal(400, "none of the sub-protocols is known")
    }
}

// MARK: - An answer to a handshake other than 101

/// An HTTP answer in place of the upgrade, with a line of text as its body. The connection ends with it.
struct Refusal {
    let status: Int
    let text: String
    /// One more header, its name with the colon.
    var header: (name: String, value: String)?

    init(_ status: Int, _ text: String, header: (name: String, value: String)? = nil) {
        self.status = status
        self.text = text
        self.header = header
    }

    /// Sends the answer. What the callback has to return afterwards, so that lws ends the connection, is -1.
    func send(to wsi: OpaquePointer, _ held: borrowing HeldLoop) {
        // RFC 9110: these two have no content.
        let body = status == 204 || status == 304 ? [] : Array((text + "\n").utf8)
        var buffer = [UInt8](repeating: 0, count: OutgoingFrame.headroom + 1024 + body.count)
        buffer.withUnsafeMutableBufferPointer { buffer in
            guard let base = buffer.baseAddress else { return }
            let start = base + OutgoingFrame.headroom
            let end = base + (buffer.count - body.count)
            var position: UnsafeMutablePointer<UInt8>? = start
            guard lws_add_http_header_status(wsi, UInt32(status), &position, end) == 0,
                add("content-type:", "text/plain; charset=utf-8", wsi, &position, end),
                add("content-length:", String(body.count), wsi, &position, end),
                add("connection:", "close", wsi, &position, end),
                header.map({ add($0.name, $0.value, wsi, &position, end) }) ?? true,
                lws_finalize_http_header(wsi, &position, end) == 0, let position
            else { return }
            // lws learns the request's version after the upgrade (roles/http/server/server.c: lws_http_action), so
            // it has written "HTTP/1.0", which WebSocket clients take for no answer at all.
            if start[7] == UInt8(ascii: "0") { start[7] = UInt8(ascii: "1") }
            body.withUnsafeBufferPointer {
                if let bytes = $0.baseAddress { position.update(from: bytes, count: $0.count) }
            }
            _ = lws_write(wsi, start, position - start + body.count, LWS_WRITE_HTTP)
        }
    }

    private func add(
        _ name: String, _ value: String, _ wsi: OpaquePointer, _ position: inout UnsafeMutablePointer<UInt8>?,
        _ end: UnsafeMutablePointer<UInt8>
    ) -> Bool {
        lws_add_http_header_by_name(wsi, name, value, Int32(value.utf8.count), &position, end) == 0
    }
}
