// What is offered for the compression of messages.

internal import LWSPayload

/// How messages are to be compressed: the parameters of permessage-deflate (RFC 7692, section 7.1), offered with the
/// handshake while ``ClientConfiguration/webSocketCompressionEnabled`` is on.
///
/// A connection that compresses both ways takes about 300 KiB of memory on top of the usual.
public struct CompressionOptions: Sendable, Hashable {
    /// Asks the server to begin every message without what it knows of those before (`server_no_context_takeover`).
    /// A server that agrees to compression without it is ``WebSocketError/Code/invalidHandshake``.
    public var serverNoContextTakeover = false

    /// Begins every message of this side without what was sent before (`client_no_context_takeover`), and tells the
    /// server so. Costs compression and saves the server memory.
    public var clientNoContextTakeover = false

    /// The largest window that the server may use, as a power of two: 8 to 15 (`server_max_window_bits`). `nil`: any.
    /// A server that agrees to compression without it is ``WebSocketError/Code/invalidHandshake``.
    public var serverMaxWindowBits: Int?

    /// The largest window that this side uses, as a power of two: 9 to 15 (`client_max_window_bits`). `nil`: 15, or
    /// less where the server asks for it. A server that asks for 8 bits, which zlib cannot do, gets its messages
    /// uncompressed.
    public var clientMaxWindowBits: Int?

    /// How hard zlib tries, from 1, the fastest and libwebsockets' own choice, to 9, the smallest.
    public var level = 1

    /// What is offered unless something else is chosen: no limits, and zlib at its fastest.
    public init() {}

    /// Everything that could be wrong.
    func validate() throws(WebSocketError) {
        if let bits = serverMaxWindowBits, !(8...15).contains(bits) {
            throw WebSocketError(
                .invalidArgument, "compression.serverMaxWindowBits: \(bits) is not in the range from 8 to 15")
        }
        if let bits = clientMaxWindowBits, !(9...15).contains(bits) {
            throw WebSocketError(
                .invalidArgument, "compression.clientMaxWindowBits: \(bits) is not in the range from 9 to 15")
        }
        guard (1...9).contains(level) else {
            throw WebSocketError(
                .invalidArgument,
                "compression.level: \(level) is not in the range from 1 to 9; set webSocketCompressionEnabled to false "
                    + "for no compression")
        }
    }

    /// The value of the handshake's Sec-WebSocket-Extensions field.
    var offer: String {
        var elements = [CompressionAgreement.extensionName]
        if serverNoContextTakeover { elements.append("server_no_context_takeover") }
        if clientNoContextTakeover { elements.append("client_no_context_takeover") }
        if let serverMaxWindowBits { elements.append("server_max_window_bits=\(serverMaxWindowBits)") }
        // Without a value it says that the server may ask for a smaller window (section 7.1.2.2).
        elements.append("client_max_window_bits" + (clientMaxWindowBits.map { "=\($0)" } ?? ""))
        return elements.joined(separator: "; ")
    }
}
