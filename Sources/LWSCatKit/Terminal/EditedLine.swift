// A line while it is typed.

/// The text and the cursor in it, which stands before the character of its index.
struct EditedLine: Equatable {
    private(set) var characters: [Character] = []
    private(set) var cursor = 0
    /// What was erased last by more than a character.
    private var erased: [Character] = []

    init(_ text: String = "") {
        characters = Array(text)
        cursor = characters.count
    }

    var text: String { String(characters) }
    var isEmpty: Bool { characters.isEmpty }

    /// Puts another text in place of this one, the cursor behind it.
    mutating func replace(with text: String) {
        characters = Array(text)
        cursor = characters.count
    }

    /// A scalar that belongs to the character before the cursor joins it.
    mutating func insert(_ character: Character) {
        if cursor > 0 {
            let joined = String(characters[cursor - 1]) + String(character)
            if joined.count == 1, let whole = joined.first {
                characters[cursor - 1] = whole
                return
            }
        }
        characters.insert(character, at: cursor)
        cursor += 1
    }

    mutating func eraseBefore() {
        guard cursor > 0 else { return }
        cursor -= 1
        characters.remove(at: cursor)
    }

    mutating func eraseAfter() {
        guard cursor < characters.count else { return }
        characters.remove(at: cursor)
    }

    mutating func moveLeft() { cursor = max(0, cursor - 1) }
    mutating func moveRight() { cursor = min(characters.count, cursor + 1) }
    mutating func moveToStart() { cursor = 0 }
    mutating func moveToEnd() { cursor = characters.count }
    mutating func moveWordLeft() { cursor = wordStart }
    mutating func moveWordRight() { cursor = wordEnd }

    mutating func eraseToStart() { erase(0..<cursor) }
    mutating func eraseToEnd() { erase(cursor..<characters.count) }
    mutating func eraseNextWord() { erase(cursor..<wordEnd) }

    /// As Ctrl-W does: back to the space before the word, whatever else is in it.
    mutating func eraseWord() {
        var start = cursor
        while start > 0, characters[start - 1].isWhitespace { start -= 1 }
        while start > 0, !characters[start - 1].isWhitespace { start -= 1 }
        erase(start..<cursor)
    }

    mutating func insertErased() {
        characters.insert(contentsOf: erased, at: cursor)
        cursor += erased.count
    }

    /// Exchanges the characters around the cursor; at the end, the last two.
    mutating func transpose() {
        guard cursor > 0, characters.count > 1 else { return }
        let second = min(cursor, characters.count - 1)
        characters.swapAt(second - 1, second)
        cursor = second + 1
    }

    private mutating func erase(_ range: Range<Int>) {
        guard !range.isEmpty else { return }
        erased = Array(characters[range])
        characters.removeSubrange(range)
        cursor = range.lowerBound
    }

    private var wordStart: Int {
        var place = cursor
        while place > 0, !Self.isPartOfWord(characters[place - 1]) { place -= 1 }
        while place > 0, Self.isPartOfWord(characters[place - 1]) { place -= 1 }
        return place
    }

    private var wordEnd: Int {
        var place = cursor
        while place < characters.count, !Self.isPartOfWord(characters[place]) { place += 1 }
        while place < characters.count, Self.isPartOfWord(characters[place]) { place += 1 }
        return place
    }

    private static func isPartOfWord(_ character: Character) -> Bool { character.isLetter || character.isNumber }
}
