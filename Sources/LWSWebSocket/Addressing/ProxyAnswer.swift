// What a proxy says to CONNECT.

/// The answer to a CONNECT request, as far as it has arrived.
enum ProxyAnswer: Equatable {
    case incomplete
    /// The tunnel stands: what follows the answer's head comes from the server.
    case accepted
    case refused(status: Int)
    /// No HTTP/1 answer, or one of more than ``longest`` bytes.
    case invalid

    /// Bytes that an answer's head may have.
    static let longest = 16384

    init(_ bytes: some Sequence<UInt8>) {
        let bytes = Array(bytes)
        let start = Array("HTTP/1.".utf8)
        guard zip(bytes, start).allSatisfy(==) else {
            self = .invalid
            return
        }
        guard bytes.indices.dropLast(3).contains(where: { bytes[$0..<$0 + 4].elementsEqual("\r\n\r\n".utf8) }) else {
            self = bytes.count < Self.longest ? .incomplete : .invalid
            return
        }
        let line = bytes.prefix { $0 != UInt8(ascii: "\r") }
        let status = String(decoding: line.dropFirst(9).prefix(3), as: UTF8.self)
        guard line.count >= 12, line[8] == UInt8(ascii: " "), let code = Int(status), (100...599).contains(code)
        else {
            self = .invalid
            return
        }
        // What lws takes, byte by byte (lib/roles/http/client/client-http.c, LRS_WAITING_PROXY_REPLY).
        let isAccepted = ["HTTP/1.0 200 ", "HTTP/1.1 200 "].contains { line.starts(with: $0.utf8) }
        self = isAccepted ? .accepted : .refused(status: code)
    }
}
