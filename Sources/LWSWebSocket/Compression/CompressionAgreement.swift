// Compression/: permessage-deflate (RFC 7692) on the client's side.
//
// Holds: what is offered, and what a server's answer means; zlib is in LWSPayload.
// Used by: Configuration, Session.
// Uses: Errors; LWSPayload.

// What a server's answer to the offer of compression means.

internal import LWSPayload

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
