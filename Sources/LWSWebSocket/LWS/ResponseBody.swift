// The body of an answer: all of it, or what is there of a refusal.

internal import CLibWebSockets
internal import HTTPTypes
internal import LWSServiceLoop

/// Takes the body out of lws by its own `lws_http_client_read`: first what came in one read with the head and lies in the
/// connection's buffer list, then what the socket holds. It never waits.
///
/// Of a refused upgrade there is one chance, in LWS_CALLBACK_ESTABLISHED_CLIENT_HTTP: lws ends the connection when the
/// callback returns (`lws_client_ws_upgrade`: "not 101").
///
/// lws hands the bytes over in LWS_CALLBACK_RECEIVE_CLIENT_HTTP_READ, without the chunked coding.
final class ResponseBody {
    /// Bytes that are kept of a refusal's body.
    static let limit = 4096
    /// Reads made at a time, which matters for chunks of a byte or two only.
    private static let maxReads = 8192
    /// Bytes of the chunked coding that may be read at its begin, and after a chunk's end, which two more belong to.
    ///
    /// lws adds up a chunk's size in an `int`, and 4.1 does not look whether it fits: it goes on to use a negative
    /// size (`lws_http_client_read`, ELCP_HEX; a crash). So it is never given an eighth digit. That leaves room for
    /// sizes of four digits, below 64 KiB.
    private static let framing = 7

    enum Progress {
        /// There may be more to come.
        case more
        /// lws has nothing more to give: the body is complete (see COMPLETED_CLIENT_HTTP), or broken, or TCP has ended.
        case over
        /// TCP has ended before the last chunk. lws calls that complete as well (`lws_http_client_read`: there is no
        /// Content-Length).
        case cut
        /// Its chunks are longer than is safe to let lws look at.
        case unreadable
        /// There is more than is kept.
        case tooLong
    }

    private(set) var bytes: [UInt8] = []
    private let limit: Int
    private var spare = ResponseBody.framing

    init(limit: Int = ResponseBody.limit) { self.limit = limit }

    /// lws hands over a part of the body.
    func add(_ part: UnsafeRawBufferPointer) {
        bytes += part.prefix(limit - bytes.count)
    }

    /// Reads what there is of it. `add` is called meanwhile.
    @discardableResult
    func read(_ response: HTTPResponse, _ wsi: OpaquePointer) -> Progress {
        guard Self.hasBody(response, wsi) else { return .over }
        // As lws decides it (`lws_client_interpret_server_handshake`).
        let isChunked = HandshakeResponse.value(of: WSI_TOKEN_HTTP_TRANSFER_ENCODING, wsi) == "chunked"
        return withUnsafeTemporaryAllocation(of: CChar.self, capacity: Self.limit) { buffer in
            for _ in 0..<Self.maxReads {
                guard bytes.count < limit else { return .tooLong }
                let before = bytes.count
                // Byte by byte where more could hold the size of a chunk.
                var count = isChunked ? 1 : Int32(min(buffer.count, limit - before))
                var end = buffer.baseAddress
                guard lws_http_client_read(wsi, &end, &count) == 0 else {
                    // The end of the last chunk is a byte that it used, the end of TCP is none.
                    return isChunked && end == buffer.baseAddress ? .cut : .over
                }
                // lws moves the pointer on by what it used, here or in the buffer list (which it may have freed by
                // now): nothing was there.
                guard end != buffer.baseAddress else { return .more }
                guard isChunked else { continue }
                spare = bytes.count > before ? 2 + Self.framing : spare - 1
                guard spare > 0 else { return .unreadable }
            }
            return .more
        }
    }

    private static func hasBody(_ response: HTTPResponse, _ wsi: OpaquePointer) -> Bool {
        let code = response.status.code
        guard code >= 200, code != 204, code != 304 else { return false }
        // For a length of 0 `lws_http_client_read` hands over what follows the answer.
        return HandshakeResponse.value(of: WSI_TOKEN_HTTP_CONTENT_LENGTH, wsi).map { Int($0) != 0 } ?? true
    }
}
