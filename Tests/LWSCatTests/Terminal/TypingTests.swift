// Typing in a real terminal.

import LWSEchoServer
import TestSupport
import Testing

@Suite("Typing in a terminal", .serialized)
struct TypingTests {
    private let server: ScriptedServer

    init() throws { server = try ScriptedServer() }

    @Test("sends a line with Enter and shows the answer between it and the next")
    func echo() throws {
        let server = try EchoServer()
        let terminal = try TmuxTerminal(server.url())
        try terminal.waitFor(rows: ">")
        try terminal.type("hello")
        try terminal.waitFor(rows: "> hello")
        try terminal.press("Enter")
        try terminal.waitFor(rows: "> hello", "< hello", ">")
        try terminal.waitFor(cursor: "2,2")
    }

    @Test("keeps the line and the cursor while messages come")
    func messageWhileTyping() throws {
        let terminal = try TmuxTerminal(server.url())
        try terminal.waitFor(rows: ">")
        try terminal.type("half a li")
        try terminal.press("Left", "Left")
        try terminal.waitFor(rows: "> half a li")
        try server.send("first news")
        try server.send("more\nin two rows")
        try terminal.waitFor(rows: "< first news", "< more", "  in two rows", "> half a li")
        try terminal.waitFor(cursor: "9,3")
        try terminal.press("End")
        try terminal.type("ne")
        try terminal.press("Enter")
        #expect(try server.messages(1) == ["half a line"])
    }

    @Test("edits with the keys of a shell")
    func editing() throws {
        let terminal = try TmuxTerminal(server.url())
        try terminal.waitFor(rows: ">")
        try terminal.type("wrld xx")
        try terminal.press("BSpace", "C-w", "BSpace", "C-a", "Right")
        try terminal.type("o")
        try terminal.press("Home")
        try terminal.type("hello ")
        try terminal.press("C-e")
        try terminal.type("!")
        try terminal.waitFor(rows: "> hello world!")
        try terminal.press("Enter")
        #expect(try server.messages(1) == ["hello world!"])
        try terminal.type("gone")
        try terminal.press("C-u")
        try terminal.type("kept")
        try terminal.press("Enter")
        #expect(try server.messages(2)[1] == "kept")
    }

    @Test("brings back earlier lines, and the one that was being typed")
    func history() throws {
        let terminal = try TmuxTerminal(server.url())
        try terminal.waitFor(rows: ">")
        for line in ["one", "two"] {
            try terminal.type(line)
            try terminal.press("Enter")
        }
        try terminal.type("dra")
        try terminal.press("Up", "Up")
        try terminal.waitFor(rows: "> one")
        try terminal.press("Down", "Down")
        try terminal.waitFor(rows: "> dra")
        try terminal.press("Up", "Enter")
        #expect(try server.messages(3) == ["one", "two", "two"])
    }

    @Test("shows a part of a line that is wider than the terminal, and sends all of it")
    func longLine() throws {
        let terminal = try TmuxTerminal(server.url(), columns: 20)
        try terminal.waitFor(rows: ">")
        let line = (0..<10).map { "word\($0)" }.joined(separator: " ")
        try terminal.type(line)
        try terminal.waitFor("the line's end in one row") { screen in
            !screen.contains("\n") && screen.hasSuffix("word8 word9")
        }
        try server.send("news")
        try terminal.waitFor("the message above the line") { screen in
            screen.hasPrefix("< news\n> ") && screen.hasSuffix("word8 word9")
        }
        try terminal.press("Enter")
        #expect(try server.messages(1) == [line])
    }

    @Test("takes characters of any width")
    func unicode() throws {
        let terminal = try TmuxTerminal(server.url())
        try terminal.waitFor(rows: ">")
        try terminal.type("grüße 日本")
        try terminal.press("Left")
        try terminal.waitFor(rows: "> grüße 日本")
        try terminal.waitFor(cursor: "10,0")
        try terminal.press("BSpace", "End", "Enter")
        #expect(try server.messages(1) == ["grüße 本"])
    }

    @Test("shows the line again where the terminal's size changes")
    func resize() throws {
        let terminal = try TmuxTerminal(server.url())
        try terminal.waitFor(rows: ">")
        try terminal.type(String(repeating: "x", count: 40))
        try terminal.waitFor(rows: "> " + String(repeating: "x", count: 40))
        try terminal.resize(columns: 30)
        try terminal.waitFor("the line in one row") {
            $0.split(separator: "\n").last.map { $0.hasPrefix("> xxx") } ?? false
        }
        try terminal.press("Enter")
        #expect(try server.messages(1) == [String(repeating: "x", count: 40)])
    }

    @Test("says what cannot be sent, and goes on")
    func badLine() throws {
        let server = try EchoServer()
        let terminal = try TmuxTerminal("--base64", server.url())
        try terminal.waitFor(rows: ">")
        try terminal.type("?")
        try terminal.press("Enter")
        try terminal.waitFor(rows: "> ?", "! not sent: it is not Base64", ">")
        try terminal.type("yv4=")
        try terminal.press("Enter")
        try terminal.waitFor(rows: "< yv4=", ">")
    }
}
