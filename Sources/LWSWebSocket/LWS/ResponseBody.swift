// The beginning of the body of an answer that refuses the handshake.

internal import CLibWebSockets
internal import HTTPTypes
internal import LWSServiceLoop

/// Takes the body out of lws in LWS_CALLBACK_ESTABLISHED_CLIENT_HTTP, by lws's own `lws_http_client_read`: first what
/// came in one read with the head and lies in the connection's buffer list, then what the socket holds. It never
/// waits: lws ends the connection when the callback returns (`lws_client_ws_upgrade`: "not 101").
///
/// lws hands the bytes over in LWS_CALLBACK_RECEIVE_CLIENT_HTTP_READ, without the chunked coding.
final class ResponseBody {
    /// Bytes that are kept of a body.
    static let limit = 4096
    /// Reads made for one body, which matters for chunks of a byte or two only.
    private static let maxReads = 8192
    /// Bytes of the chunked coding that may be read at its begin, and after a chunk's end, which two more belong to.
    ///
    /// lws adds up a chunk's size in an `int`, and 4.1 does not look whether it fits: it goes on to use a negative
    /// size (`lws_http_client_read`, ELCP_HEX; a crash). So it is never given an eighth digit. That leaves room for
    /// sizes of four digits, below 64 KiB.
    private static let framing = 7

    private(set) var bytes: [UInt8] = []

    /// lws hands over a part of the body.
    func add(_ part: UnsafeRawBufferPointer) {
        bytes += part.prefix(Self.limit - bytes.count)
    }

    /// Reads what there is of it. `add` is called meanwhile.
    func read(_ response: HTTPResponse, _ wsi: OpaquePointer) {
        guard Self.hasBody(response, wsi) else { return }
        // As lws decides it (`lws_client_interpret_server_handshake`).
        let isChunked = HandshakeResponse.value(of: WSI_TOKEN_HTTP_TRANSFER_ENCODING, wsi) == "chunked"
        var spare = Self.framing
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: Self.limit) { buffer in
            for _ in 0..<Self.maxReads where bytes.count < Self.limit {
                let before = bytes.count
                // Byte by byte where more could hold the size of a chunk.
                var count = isChunked ? 1 : Int32(Self.limit - before)
                var end = buffer.baseAddress
                // Not 0: the body is complete (see `ClientSession.handle`), or broken, or TCP has ended.
                guard lws_http_client_read(wsi, &end, &count) == 0 else { return }
                // lws moves the pointer on by what it used, here or in the buffer list (which it may have freed by
                // now): nothing was there.
                guard end != buffer.baseAddress else { return }
                guard isChunked else { continue }
                spare = bytes.count > before ? 2 + Self.framing : spare - 1
                guard spare > 0 else { return }
            }
        }
    }

    private static func hasBody(_ response: HTTPResponse, _ wsi: OpaquePointer) -> Bool {
        let code = response.status.code
        guard code >= 200, code != 204, code != 304 else { return false }
        // For a length of 0 `lws_http_client_read` hands over what follows the answer.
        return HandshakeResponse.value(of: WSI_TOKEN_HTTP_CONTENT_LENGTH, wsi).map { Int($0) != 0 } ?? true
    }
}
