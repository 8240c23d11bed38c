// Editing a line, without a terminal.

import Testing

@testable import LWSCatKit

@Suite("Editing a line")
struct EditingTests {
    /// What is in the line after these bytes, with a bar for the cursor.
    private func line(_ text: String) -> String {
        var editor = LineEditor()
        _ = editor.add(Array(text.utf8))
        let characters = editor.line.characters
        return String(characters[..<editor.line.cursor]) + "|" + String(characters[editor.line.cursor...])
    }

    @Test(
        "does what the key says",
        arguments: [
            ("abc", "abc|"), ("abc\u{7f}", "ab|"), ("abc\u{8}", "ab|"), ("\u{7f}", "|"),
            ("abc\u{1b}[D", "ab|c"), ("abc\u{1b}OD", "ab|c"), ("abc\u{2}\u{2}x", "ax|bc"), ("a\u{2}\u{2}", "|a"),
            ("abc\u{1}x", "x|abc"), ("abc\u{1b}[Hx", "x|abc"), ("abc\u{1b}[1~x\u{1b}[4~y", "xabcy|"),
            ("abc\u{1}\u{6}x", "ax|bc"), ("abc\u{1}\u{1b}[3~", "|bc"), ("abc\u{1}\u{4}", "|bc"), ("abc\u{4}", "abc|"),
            ("one two\u{1b}b", "one |two"), ("one two\u{1b}[1;5D\u{1b}[1;5D", "|one two"),
            ("one two\u{1}\u{1b}f", "one| two"), ("one two\u{1}\u{1b}[1;5C\u{1b}[1;5C", "one two|"),
            ("one two\u{17}", "one |"), ("one two  \u{17}", "one |"), ("a/b\u{17}", "|"),
            ("one two\u{1b}\u{7f}", "one |"),
            ("one two\u{1}\u{1b}d", "| two"), ("one two\u{1b}b\u{b}", "one |"), ("one two\u{1b}b\u{15}", "|two"),
            ("one two\u{15}x\u{19}", "xone two|"), ("ab\u{14}", "ba|"), ("abc\u{2}\u{14}", "acb|"),
            ("e\u{301}x\u{7f}\u{7f}", "|"), ("a\tb", "a\tb|"), ("ü€😀", "ü€😀|"), ("ü€😀\u{7f}", "ü€|"),
            ("a\u{1b}[99;99~b", "ab|"), ("a\u{1b}[?1;2cb", "ab|"), ("a\u{1b}\u{1b}[Db", "b|a"),
        ])
    func keys(bytes: String, expected: String) {
        #expect(line(bytes) == expected)
    }

    @Test("takes its bytes in any pieces")
    func pieces() {
        var editor = LineEditor()
        for byte in Array("aü\u{1b}[D😀\u{1b}[1;5C!".utf8) { _ = editor.add([byte]) }
        #expect(editor.line.text == "a😀ü!")
    }

    @Test("passes over bytes that are no text")
    func notText() {
        var editor = LineEditor()
        _ = editor.add([0xff, 97, 0xc3, 98, 0xe2, 0x82, 99, 0x80, 0])
        #expect(editor.line.text == "abc")
    }

    @Test("tells lines and what else is asked for, in order")
    func actions() {
        var editor = LineEditor()
        #expect(
            editor.add(Array("one\r\ntwo\n\u{c}\u{1a}x\u{3}".utf8)) == [
                .enter("one"), .enter(""), .enter("two"), .clearScreen, .suspend, .interrupt,
            ])
        #expect(editor.line.text == "x")
        #expect(editor.add([0x15, 4]) == [.endOfInput])
    }

    @Test("goes through the history and comes back to the draft")
    func history() {
        var history = History(limit: 3)
        #expect(history.previous(insteadOf: "draft") == nil)
        for line in ["one", "two", "two", "", "three", "four"] { history.add(line) }
        #expect(history.previous(insteadOf: "draft") == "four")
        #expect(history.previous(insteadOf: "four") == "three")
        #expect(history.previous(insteadOf: "three") == "two")
        #expect(history.previous(insteadOf: "two") == nil)
        #expect(history.next() == "three")
        #expect(history.next() == "four")
        #expect(history.next() == "draft")
        #expect(history.next() == nil)
    }

    @Test("shows the part of the line that has the cursor")
    func window() {
        var line = EditedLine("0123456789")
        #expect(LineWindow(line, columns: 20) == window("0123456789", 10))
        #expect(LineWindow(line, columns: 11) == window("0123456789", 10))
        #expect(LineWindow(line, columns: 10) == window("123456789", 9))
        #expect(LineWindow(line, columns: 5) == window("6789", 4))
        line.moveLeft()
        #expect(LineWindow(line, columns: 5) == window("56789", 4))
        line.moveToStart()
        #expect(LineWindow(line, columns: 5) == window("01234", 0))
        var wide = EditedLine("日本語")
        #expect(LineWindow(wide, columns: 5) == window("本語", 4))
        wide.moveLeft()
        #expect(LineWindow(wide, columns: 5) == window("本語", 2))
        #expect(LineWindow(EditedLine("a\tb"), columns: 10) == window("a␉b", 3))
        #expect(LineWindow(EditedLine("a\u{9b}b"), columns: 10) == window("a\u{fffd}b", 3))
        #expect(LineWindow(EditedLine("abc"), columns: 0).text.count <= 2)
    }

    private func window(_ text: String, _ cursor: Int) -> LineWindow { LineWindow(text: text, cursor: cursor) }
}
