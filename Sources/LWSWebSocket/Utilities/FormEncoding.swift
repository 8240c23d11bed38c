// Forms.

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
