// Why a value could not be encoded or decoded, in words.

enum BindingFailure {
    /// What else is said about a payload is cut to this length, for it may quote it.
    private static let longestDetail = 120

    /// One phrase without a full stop, beginning with the place where there is one.
    static func words(_ error: any Error) -> String {
        switch error {
        case let error as DecodingError: words(error)
        case EncodingError.invalidValue(_, let context): at(context.codingPath, detail(context.debugDescription))
        default: detail(String(describing: error))
        }
    }

    private static func words(_ error: DecodingError) -> String {
        switch error {
        case .typeMismatch(let type, let context):
            let expected = "expected \(noun(type))"
            return at(context.codingPath, found(context).map { "\(expected), found \($0)" } ?? expected)
        case .valueNotFound(let type, let context):
            return at(context.codingPath, "expected \(noun(type)), found null")
        case .keyNotFound(let key, let context):
            return at(context.codingPath + [key], "is missing")
        case .dataCorrupted(let context)
        where context.codingPath.isEmpty && context.debugDescription.contains("not valid JSON"):
            // Foundation's own words are "The given data was not valid JSON."
            return "it is not valid JSON"
        case .dataCorrupted(let context):
            return at(context.codingPath, detail(context.debugDescription))
        @unknown default:
            return detail(String(describing: error))
        }
    }

    private static func at(_ path: [any CodingKey], _ text: String) -> String {
        path.isEmpty ? text : "\(FieldPath(path)): \(text)"
    }

    private static func noun(_ type: Any.Type) -> String {
        switch type {
        case is String.Type: return JSONValue.Kind.string.rawValue
        case is Bool.Type: return JSONValue.Kind.bool.rawValue
        case is any FixedWidthInteger.Type: return "an integer"
        case is any BinaryFloatingPoint.Type: return JSONValue.Kind.number.rawValue
        default:
            let name = String(describing: type)
            if name.hasPrefix("Array<") { return JSONValue.Kind.array.rawValue }
            if name.hasPrefix("Dictionary<") { return JSONValue.Kind.object.rawValue }
            return "a value for \(name)"
        }
    }

    /// Foundation says what it found in the midst of a sentence only.
    private static func found(_ context: DecodingError.Context) -> String? {
        let words = context.debugDescription.split(separator: " ")
        guard let last = words.lastIndex(of: "found") else { return nil }
        let kinds: [String: JSONValue.Kind] = [
            "string": .string, "number": .number, "bool": .bool, "array": .array, "dictionary": .object,
            "null": .null,
        ]
        return words[last...].lazy.compactMap { kinds[$0.filter(\.isLetter)]?.rawValue }.first
    }

    private static func detail(_ text: String) -> String {
        var text = text.split(whereSeparator: \.isNewline).joined(separator: " ")
        while text.hasSuffix(".") { text.removeLast() }
        return FieldPath.cut(text, to: longestDetail)
    }
}

// MARK: - Where in a value something is, in words

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

    static func + (path: FieldPath, step: Step) -> FieldPath { FieldPath(path.steps + [step]) }

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
