// What client and server have agreed to of compression.

/// The parameters of permessage-deflate for one connection (RFC 7692, section 7.1).
package struct CompressionAgreement: Sendable, Hashable {
    /// The name of the one extension there is.
    package static let extensionName = "permessage-deflate"

    package var serverNoContextTakeover = false
    package var clientNoContextTakeover = false
    package var serverWindowBits = 15
    package var clientWindowBits = 15
    /// How hard zlib tries; nobody else's business.
    package var level: Int

    package init(level: Int = 1) { self.level = level }
}

/// One extension as a Sec-WebSocket-Extensions field offers or accepts it (RFC 6455, section 9.1).
package struct ListedExtension {
    package let name: String
    /// Each as it stands there, without the blanks around it.
    package let parameters: [String]
    /// Where its comma stands, or the field ends.
    package let end: Int

    package var isEmpty: Bool { name.isEmpty && parameters.isEmpty }

    package static func list(_ field: [UInt8]) -> [ListedExtension] {
        field.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false).map { element in
            let parts = String(decoding: element, as: UTF8.self)
                .split(separator: ";", omittingEmptySubsequences: false).map { trimmed($0) }
            return ListedExtension(
                name: parts.first ?? "", parameters: Array(parts.dropFirst()), end: element.endIndex)
        }
    }

    /// A parameter's name and value, which may be in quotes.
    package static func parameter(_ text: String) -> (name: String, value: String?) {
        guard let equals = text.firstIndex(of: "=") else { return (text, nil) }
        var value = text[text.index(after: equals)...]
        if value.count >= 2, value.first == "\"", value.last == "\"" { value = value.dropFirst().dropLast() }
        return (String(text[..<equals]), String(value))
    }

    /// 8 to 15, "without leading zeroes" (RFC 7692, section 7.1.2).
    package static func windowBits(_ value: String?) -> Int? { (8...15).first { String($0) == value } }

    private static func trimmed(_ text: Substring) -> String {
        var text = text.drop { $0 == " " || $0 == "\t" }
        while text.last == " " || text.last == "\t" { text.removeLast() }
        return String(text)
    }
}
