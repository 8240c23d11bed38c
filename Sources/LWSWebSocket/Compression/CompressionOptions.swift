// Compression/: permessage-deflate (RFC 7692) on the client's side.
//
// Holds: what is offered, and what a server's answer means; zlib is in LWSPayload.
// Used by: Configuration, Session.
// Uses: Errors; LWSPayload.

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

// MARK: - What a server's answer to the offer of compression means

extension CompressionAgreement {
    /// What a server's answer means.
    enum Reading: Hashable {
        /// Nothing is compressed.
        case declined
        case agreed(CompressionAgreement)
        /// The answer is not one to the offer; why, as the end of a sentence about the server.
        case invalid(String)
    }

    /// Reads the answer's Sec-WebSocket-Extensions fields.
    ///
    /// As strict as RFC 7692 lets a client be, and before lws sees them: it makes an instance of the extension for each
    /// time that the answer lists it, in an array with room for one, and it lets the server set options that are not
    /// meant for it, such as the size of its buffers (`lws_client_ws_upgrade`, roles/ws/client-ws.c, 4.1 to 4.5).
    static func read(_ fields: [String], offered: CompressionOptions?) -> Reading {
        let elements = fields.flatMap { ListedExtension.list(Array($0.utf8)) }.filter { !$0.isEmpty }
        guard let first = elements.first else { return .declined }
        guard let offered else { return .invalid("it names an extension, and none was offered") }
        guard elements.count == 1 else {
            return .invalid("it lists \(elements.count) extensions, and one was offered")
        }
        guard first.name == extensionName else {
            return .invalid("it names an extension that was not offered")
        }
        var agreement = CompressionAgreement(level: offered.level)
        var seen: Set<String> = []
        for part in first.parameters {
            let (name, value) = ListedExtension.parameter(part)
            guard seen.insert(name).inserted else {
                return .invalid("it has the extension parameter \(quoted(name)) twice")
            }
            guard agreement.take(name, value, offered) else {
                return .invalid("its extension parameter \(quoted(part)) is not an answer to the offer")
            }
        }
        if offered.serverNoContextTakeover, !agreement.serverNoContextTakeover {
            return .invalid("it agrees to compression without server_no_context_takeover")
        }
        if offered.serverMaxWindowBits != nil, !seen.contains("server_max_window_bits") {
            return .invalid("it agrees to compression without server_max_window_bits")
        }
        // What this side has said of itself holds whether the server repeats it or not.
        if offered.clientNoContextTakeover { agreement.clientNoContextTakeover = true }
        if let bits = offered.clientMaxWindowBits {
            agreement.clientWindowBits = min(agreement.clientWindowBits, bits)
        }
        return .agreed(agreement)
    }

    private mutating func take(_ name: String, _ value: String?, _ offered: CompressionOptions) -> Bool {
        switch name {
        case "server_no_context_takeover" where value == nil: serverNoContextTakeover = true
        case "client_no_context_takeover" where value == nil: clientNoContextTakeover = true
        case "server_max_window_bits":
            guard let bits = ListedExtension.windowBits(value), bits <= offered.serverMaxWindowBits ?? 15 else {
                return false
            }
            serverWindowBits = bits
        case "client_max_window_bits":
            guard let bits = ListedExtension.windowBits(value), bits <= offered.clientMaxWindowBits ?? 15 else {
                return false
            }
            clientWindowBits = bits
        default: return false
        }
        return true
    }

    /// A server's text for an error: short and without control characters.
    private static func quoted(_ text: String) -> String { String(text.prefix(60)).debugDescription }
}
