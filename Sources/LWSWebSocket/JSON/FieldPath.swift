// Where in a value something is, in words.

/// A place in a value, written as in Swift: `orders[2].price`, `prices["a b"]`. Empty for the value itself.
///
/// Keys can come from the peer, so long ones are cut, and line breaks and the like are escaped.
struct FieldPath: Sendable, Hashable, CustomStringConvertible {
    enum Step: Sendable, Hashable {
        case key(String)
        case index(Int)
    }

    var steps: [Step] = []

    private static let longestKey = 64
    private static let longestText = 256

    init(_ steps: [Step] = []) { self.steps = steps }

    init(_ codingPath: [any CodingKey]) {
        steps = codingPath.map { key in
            // Numeric keys of a dictionary have an `intValue` too.
            if let index = key.intValue, key.stringValue == "Index \(index)" { return .index(index) }
            return .key(key.stringValue)
        }
    }

    var description: String {
        var text = ""
        for step in steps {
            switch step {
            case .index(let index): text += "[\(index)]"
            case .key(let key) where Self.isPlain(key): text += text.isEmpty ? key : ".\(key)"
            case .key(let key): text += "[\(Self.cut(key, to: Self.longestKey).debugDescription)]"
            }
        }
        return Self.cut(text, to: Self.longestText)
    }

    /// Whether a key can stand after a dot, letters of all languages included.
    private static func isPlain(_ key: String) -> Bool {
        guard let first = key.unicodeScalars.first, key.count <= longestKey else { return false }
        return !("0"..."9").contains(first)
            && key.unicodeScalars.allSatisfy {
                $0 == "_" || $0 == "-" || $0 == "$" || $0.properties.isAlphabetic || ("0"..."9").contains($0)
            }
    }

    static func cut(_ text: String, to count: Int) -> String {
        // Counted in scalars: a single Character can be as long as a message.
        let scalars = text.unicodeScalars
        guard let end = scalars.index(scalars.startIndex, offsetBy: count, limitedBy: scalars.endIndex),
            end != scalars.endIndex
        else { return text }
        return String(scalars[..<end]) + "…"
    }
}
