// Members that a dictionary of Swift would take for one.

internal import LWSServiceLoop

/// The names in a message of which an object has two that differ, but are equal as Unicode has it: "é" as one character, and as
/// an "e" with an accent. Strings of Swift are equal then, JSON's members are not (RFC 8259, section 8.3), and of two values a
/// dictionary would keep one. Found out when ``JSONValue`` asks, for other types do not have the names.
final class AmbiguousNames: Sendable {
    /// Those of the message that is decoded.
    @TaskLocal static var current: AmbiguousNames?

    private let json: [UInt8]
    private let found = Locked<[String]?>(nil)

    /// `nil` where there are none for certain: all names are in ASCII.
    init?(in json: [UInt8]) {
        guard json.contains(where: { $0 >= 0x80 || $0 == UInt8(ascii: "\\") }) else { return nil }
        self.json = json
    }

    /// One of them that is a name of the object's.
    func name(in object: [String: JSONValue]) -> String? {
        let names = found.withLock { found in
            if let found { return found }
            let repetitions = (try? JSONScanner.repetitions(in: json)) ?? []
            let names = repetitions.filter { !$0.isSpeltAlike }.map(\.name)
            found = names
            return names
        }
        return names.first { object[$0] != nil }
    }
}
