// Looks for secrets in whatever is shown to somebody.

import Foundation

@testable import LWSWebSocket

/// Secrets, in each of the forms in which they could show.
struct Secrets {
    private let forms: [String]

    init(_ secrets: [String]) {
        forms = Array(Set(secrets.flatMap(Self.forms)))
    }

    /// The first that shows in a text.
    func shown(in text: String) -> String? {
        // `dump` prints the elements of an array one a line, indented.
        let lines = text.split(separator: "\n").map { $0.trimmingCharacters(in: .whitespaces) }.joined(
            separator: "\n")
        // By bytes: a search by characters takes a hundred times as long, and logs are long.
        let places = [Data(text.utf8), Data(lines.utf8)]
        return forms.first { form in places.contains { $0.range(of: Data(form.utf8)) != nil } }
    }

    private static func forms(_ secret: String) -> [String] {
        let bytes = Array(secret.utf8)
        // base64 of a text in which the secret begins anywhere: what lies in whole groups of three bytes.
        let encoded = (0..<3).map { offset in
            let whole = bytes.dropFirst(offset).prefix((bytes.count - offset) / 3 * 3)
            return Data(whole).base64EncodedString()
        }
        let urlSafe = encoded.map {
            $0.replacingOccurrences(of: "+", with: "-").replacingOccurrences(of: "/", with: "_")
        }
        let asText: [String] = [
            secret, FormEncoding.encode(secret),
            secret.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? secret,
            // Hexadecimal digits and decimal numbers, as bytes are shown.
            bytes.map { String($0) }.joined(separator: ", "), bytes.map { String($0, radix: 16) }.joined(),
            bytes.map { "- \($0)" }.joined(separator: "\n"),
        ]
        return asText + encoded + urlSafe
    }
}

/// How a value shows itself: by its descriptions, by `dump`, by its mirror, and as an element and an optional, where
/// `debugDescription` counts.
func shownForms<Value>(of value: Value) -> [String] {
    var dumped = ""
    dump(value, to: &dumped)
    return [
        String(describing: value), String(reflecting: value), "\(value)", dumped,
        "\(Mirror(reflecting: value).children.map { "\($0)" })", "\([value])", "\(Optional(value) as Any)",
    ]
}
