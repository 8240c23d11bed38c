// An answer to a handshake other than 101.

import CLibWebSockets
import LWSServiceLoop

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
