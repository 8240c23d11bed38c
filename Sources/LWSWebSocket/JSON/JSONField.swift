// A value in JSON with its place, read by hand: what is asked of it, or why it is not that.

#if canImport(FoundationEssentials)
    internal import FoundationEssentials
#else
    internal import Foundation
#endif

/// A value of a text in JSON with the way to it, which mistakes name.
///
/// What Codable is to types of the application's, for those of our own whose members are optional, come in several forms, or are
/// written in ways that a person may get wrong: each member is asked for, and one that nobody asks for is a mistake.
struct JSONField {
    /// What is wrong with the text. Values are not shown, for they may be secrets.
    struct Mistake: Error {
        /// Beginning with the place.
        let words: String
    }

    let value: JSONValue
    private let path: FieldPath

    init(_ value: JSONValue, _ path: FieldPath) {
        self.value = value
        self.path = path
    }

    /// Of a member.
    var name: String { if case .key(let name) = path.steps.last { name } else { "" } }

    /// Reads a whole text, in which no name may stand twice.
    /// - Parameter root: what the text is, as mistakes name it.
    static func read(_ json: [UInt8], _ root: String) throws(Mistake) -> JSONField {
        func invalid(_ what: String) -> Mistake { Mistake(words: "\(root): it is not valid JSON: \(what)") }
        do throws(JSONGuard.Breach) { try JSONGuard.check(.binary(json), allowsJSON5: false) } catch {
            throw invalid("\(error)")
        }
        let repetitions: [JSONScanner.Repetition]
        do throws(JSONScanner.Mistake) { repetitions = try JSONScanner.repetitions(in: json) } catch {
            throw invalid("\(error.words) (\(JSONScanner.place(error.offset, in: json)))")
        }
        if let repetition = repetitions.first {
            let (name, place) = (repetition.name.debugDescription, JSONScanner.place(repetition.offset, in: json))
            throw Mistake(words: "\(root): \(FieldPath.cut(name, to: 64)) is there twice (\(place))")
        }
        do {
            return JSONField(try JSONDecoder().decode(JSONValue.self, from: Data(json)), FieldPath([.key(root)]))
        } catch {
            throw invalid(BindingFailure.words(error))
        }
    }

    var isNull: Bool { value.isNull }
    var isArray: Bool { value.arrayValue != nil }
    var isObject: Bool { value.objectValue != nil }

    /// In the order of their names, so that of two mistakes always the same is reported.
    func members() throws(Mistake) -> [JSONField] {
        guard let object = value.objectValue else { throw expected("an object") }
        return object.sorted { $0.key < $1.key }.map { JSONField($1, path + .key($0)) }
    }

    /// The members, all of which have one of these names.
    func members(among names: [String]) throws(Mistake) -> [JSONField] {
        let fields = try members()
        if let field = fields.first(where: { !names.contains($0.name) }) { throw field.unknown(among: names) }
        return fields
    }

    /// The same with the cases of an enumeration.
    func members<Name: RawRepresentable<String> & CaseIterable>(
        of names: Name.Type
    ) throws(Mistake) -> [(member: Name, field: JSONField)] {
        try members(among: names.allCases.map(\.rawValue)).compactMap { field in
            Name(rawValue: field.name).map { ($0, field) }
        }
    }

    func elements() throws(Mistake) -> [JSONField] {
        guard let array = value.arrayValue else { throw expected("an array") }
        return array.enumerated().map { JSONField($0.element, path + .index($0.offset)) }
    }

    func string() throws(Mistake) -> String {
        guard let string = value.stringValue else { throw expected("a string") }
        return string
    }

    func optionalString() throws(Mistake) -> String? { isNull ? nil : try string() }

    func strings() throws(Mistake) -> [String] {
        try elements().map { field throws(Mistake) in try field.string() }
    }

    /// The strings of an object, `null` being none, that has no other members than these.
    func texts(_ names: [String]) throws(Mistake) -> [String: String] {
        var texts: [String: String] = [:]
        for field in try members(among: names) { texts[field.name] = try field.optionalString() }
        return texts
    }

    func bool() throws(Mistake) -> Bool {
        guard let bool = value.boolValue else { throw expected("true or false") }
        return bool
    }

    func integer() throws(Mistake) -> Int {
        guard let integer = value.intValue else { throw expected("a whole number") }
        return integer
    }

    /// Seconds; `nil` for none.
    func timeout() throws(Mistake) -> Duration? {
        if isNull { return nil }
        guard let seconds = value.doubleValue, seconds < 1e9 else { throw expected("a number of seconds") }
        guard seconds >= 0 else {
            guard seconds == -1 else { throw expected("a number of seconds, or -1 for none") }
            return nil
        }
        return .seconds(seconds)
    }

    /// Seconds, where there has to be a number of them.
    func seconds() throws(Mistake) -> Duration {
        guard let seconds = value.doubleValue, (0..<1e9).contains(seconds) else {
            throw expected("a number of seconds")
        }
        return .seconds(seconds)
    }

    func number() throws(Mistake) -> Double {
        guard let number = value.doubleValue else { throw expected("a number") }
        return number
    }

    // MARK: - Mistakes

    private func unknown(among names: [String]) -> Mistake {
        let hint = NearestName.of(name, among: names).map { "; did you mean \($0)?" } ?? ""
        return mistake("there is no such field\(hint)")
    }

    /// The field belongs to another kind of object than the one that has a member by the name of `mark`.
    func misplaced(beside mark: String) -> Mistake { mistake("does not go with \(mark)") }

    func expected(_ what: String) -> Mistake {
        // Of an object it is the members that are not as they should be.
        let found = isObject && what.hasPrefix("an object with") ? "" : ", found \(value.kind.rawValue)"
        return mistake("expected \(what)\(found)")
    }

    private func mistake(_ what: String) -> Mistake { Mistake(words: "\(path): \(what)") }
}

// MARK: - What somebody may have meant who wrote a name that is unknown

enum NearestName {
    /// The known name that looks most like `name`: written in other letters, or with few changes, or the only one that has
    /// all of it. `nil` where none does.
    static func of(_ name: String, among known: [String]) -> String? {
        let wanted = Array(name.lowercased())
        let measured = known.map { (name: $0, changes: changes(from: wanted, to: Array($0.lowercased()))) }
        // Of short names few letters are like any other name.
        if let best = measured.min(by: { $0.changes < $1.changes }), best.changes <= wanted.count / 3 {
            return best.name
        }
        let longer = known.filter { wanted.count >= 4 && $0.lowercased().contains(name.lowercased()) }
        return longer.count == 1 ? longer[0] : nil
    }

    /// How many letters have to be put in, taken out, replaced or exchanged with the next (the optimal string alignment
    /// distance).
    private static func changes(from: [Character], to: [Character]) -> Int {
        var before: [Int] = []
        var row = Array(0...to.count)
        for (i, letter) in from.enumerated() {
            var next = [i + 1]
            for (j, other) in to.enumerated() {
                var least = min(row[j] + (letter == other ? 0 : 1), row[j + 1] + 1, next[j] + 1)
                if i > 0, j > 0, letter == to[j - 1], from[i - 1] == other { least = min(least, before[j - 1] + 1) }
                next.append(least)
            }
            (before, row) = (row, next)
        }
        return row[to.count]
    }
}
