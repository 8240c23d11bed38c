// Texts in the forms that URLs, forms and header fields give them.

extension StringProtocol {
    /// The text that percent-encoding stands for (RFC 3986, section 2.1); `nil` where it is cut short or not UTF-8.
    /// FoundationEssentials has no `removingPercentEncoding`.
    var percentDecoded: String? {
        var bytes: [UInt8] = []
        var rest = utf8[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            let digits = rest.prefix(2)
            rest = rest.dropFirst(2)
            guard digits.count(where: \.isHexDigit) == 2,
                let value = UInt8(String(decoding: digits, as: UTF8.self), radix: 16)
            else { return nil }
            bytes.append(value)
        }
        return String(validating: bytes, as: UTF8.self)
    }

    /// A URL, or a reference to one, with what may not stand in its path and query percent-encoded. Escapes that are there
    /// stay as they are (RFC 3986, section 2.4): Foundation encodes the whole component again for a single character.
    var percentCompleted: String {
        let text = Array(utf8)
        var result = Array(text[..<endOfAuthority])
        for index in text.indices.dropFirst(result.count) {
            let byte = text[index]
            let isEscape =
                byte == UInt8(ascii: "%") && text.dropFirst(index + 1).prefix(2).count(where: \.isHexDigit) == 2
            if isEscape || byte.mayStandInURL {
                result.append(byte)
            } else {
                result += byte.percentEncoded.utf8
            }
        }
        return String(decoding: result, as: UTF8.self)
    }

    /// The bytes up to the path: of the scheme and, where there is one, of the authority (RFC 3986, section 3.2).
    private var endOfAuthority: Int {
        let scheme = utf8.prefix { $0 != UInt8(ascii: ":") && $0 != UInt8(ascii: "/") }
        let isRelative = utf8.dropFirst(scheme.count).first != UInt8(ascii: ":")
        let rest = isRelative ? utf8[...] : utf8.dropFirst(scheme.count + 1)
        guard rest.starts(with: "//".utf8) else { return utf8.count - rest.count }
        let authority = rest.dropFirst(2).prefix { !"/?#".utf8.contains($0) }
        return utf8.count - rest.count + 2 + authority.count
    }

    // MARK: - Blanks

    /// The text between the first and the last character that is not blank.
    func trimming(_ isBlank: (Character) -> Bool) -> String {
        guard let first = firstIndex(where: { !isBlank($0) }), let last = lastIndex(where: { !isBlank($0) }) else {
            return ""
        }
        return String(self[first...last])
    }

    /// Without the blanks of HTTP (OWS of RFC 9110, section 5.6.3).
    var trimmingBlanks: String { trimming { $0 == " " || $0 == "\t" } }
}

extension UInt8 {
    /// As an escape (RFC 3986, section 2.1).
    var percentEncoded: String { "%" + hexadecimal.uppercased() }

    /// Two digits.
    var hexadecimal: String { (self < 16 ? "0" : "") + String(self, radix: 16) }

    /// Whether it is one of ASCII's letters and digits.
    var isAlphanumeric: Bool {
        switch self {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: false
        }
    }

    fileprivate var isHexDigit: Bool { Character(UnicodeScalar(self)).isHexDigit }

    /// Whether it is a character of a path, a query or a fragment (RFC 3986, sections 3.3 to 3.5), or what separates them.
    fileprivate var mayStandInURL: Bool { isAlphanumeric || "-._~!$&'()*+,;=:@/?#".utf8.contains(self) }
}

// MARK: - Forms

/// `application/x-www-form-urlencoded`, as RFC 6749, appendix B, wants it: UTF-8, a plus for a space.
enum FormEncoding {
    static func encode(_ pairs: [(name: String, value: String)]) -> String {
        pairs.map { "\(encode($0.name))=\(encode($0.value))" }.joined(separator: "&")
    }

    static func encode(_ text: String) -> String {
        var encoded = ""
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: " "): encoded += "+"
            case _ where byte.isAlphanumeric || "-._*".utf8.contains(byte):
                encoded.unicodeScalars.append(UnicodeScalar(byte))
            default: encoded += byte.percentEncoded
            }
        }
        return encoded
    }
}

// MARK: - Text of others in a line of one's own

extension Unicode.Scalar {
    /// Whether it does something to a terminal, or to the lines around it, in place of being shown: controls, line ends, and what
    /// turns the direction of text (Unicode Standard Annex 9).
    var actsOnDisplay: Bool {
        switch properties.generalCategory {
        case .control, .lineSeparator, .paragraphSeparator: true
        default: properties.isBidiControl
        }
    }
}

extension String {
    /// Such scalars as Swift writes them: `\u{85}`.
    var inOneLine: String {
        unicodeScalars.reduce(into: "") { text, scalar in
            if scalar.actsOnDisplay {
                text += "\\u{\(String(scalar.value, radix: 16, uppercase: true))}"
            } else {
                text.unicodeScalars.append(scalar)
            }
        }
    }
}
