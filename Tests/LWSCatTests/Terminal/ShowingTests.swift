// What a terminal shows, besides what is typed.

import LWSEchoServer
import TestSupport
import Testing

@Suite("Showing in a terminal", .serialized)
struct ShowingTests {
    @Test("shows control frames and the close with -v, and sends them with --slash")
    func controlFrames() throws {
        let server = try ScriptedServer()
        let terminal = try TmuxTerminal("-v", "--slash", server.url())
        try terminal.waitFor("* connected")
        try terminal.type("/ping are you there?")
        try terminal.press("Enter")
        try terminal.waitFor(rows: "> /ping are you there?", "* pong: are you there?", ">")
        try terminal.type("/nonsense")
        try terminal.press("Enter")
        try terminal.waitFor("! there are /ping, /pong and /close")
        try terminal.type("//slash")
        try terminal.press("Enter")
        #expect(try server.messages(1) == ["/slash"])
        try terminal.type("/close 4001 that is all")
        try terminal.press("Enter")
        #expect(try server.close().payload.dropFirst(2).elementsEqual("that is all".utf8))
        try terminal.waitFor(
            rows: "* The connection to 127.0.0.1 was closed by this side (4001): that is all", "exit 0")
    }

    @Test("colours what is received, unless NO_COLOR or --no-color says otherwise")
    func colours() throws {
        let server = try EchoServer()
        func screen(_ option: String, _ environment: [String: String]) throws -> String {
            let terminal = try TmuxTerminal(option, server.url(), environment: environment)
            try terminal.waitFor(rows: ">")
            try terminal.type("hello")
            try terminal.press("Enter")
            try terminal.waitFor(rows: "< hello", ">")
            return try terminal.screen(withColours: true)
        }
        #expect(try screen("--json", [:]).contains("\u{1b}[36m<"))
        #expect(try !screen("--json", ["NO_COLOR": "1"]).contains("\u{1b}["))
        #expect(try !screen("--no-color", [:]).contains("\u{1b}["))
    }

    @Test("shows what would be a command to the terminal as text")
    func harmless() throws {
        let server = try ScriptedServer()
        let terminal = try TmuxTerminal(server.url())
        try terminal.waitFor(rows: ">")
        try server.send("\u{1b}[2J\u{1b}]0;title\u{7}gone\r!")
        try terminal.waitFor(rows: "< ^[[2J^[]0;title^Ggone^M!", ">")
    }

    @Test("shows the bytes of binary messages, and JSON in lines")
    func forms() throws {
        let server = try EchoServer()
        let terminal = try TmuxTerminal("--json", server.url("/push/1/4"))
        try terminal.waitFor("< 4 bytes: 00 01 02 03")
        try terminal.type(#"{"b":[1,2.50],"a":null}"#)
        try terminal.press("Enter")
        try terminal.waitFor(
            rows: "< {", #"    "b": ["#, "      1,", "      2.50", "    ],", #"    "a": null"#, "  }", ">")
    }

    @Test("edits nothing in a terminal that cannot move its cursor, but sends and shows")
    func dumb() throws {
        let server = try EchoServer()
        let terminal = try TmuxTerminal(server.url(), environment: ["TERM": "dumb"])
        try terminal.type("hello")
        try terminal.press("Enter")
        try terminal.waitFor(rows: "hello", "hello")
        try terminal.press("C-d")
        try terminal.waitFor("exit 0")
    }

    @Test("shows how far a benchmark is in a bar, and its result in its place")
    func bench() throws {
        // A busy machine may not get a look at each bar in a short time.
        var isShown = false
        for seconds in ["2", "20"] where !isShown { isShown = try showsBars(lasting: seconds) }
        #expect(isShown)
    }

    private func showsBars(lasting seconds: String) throws -> Bool {
        let server = try EchoServer()
        let terminal = try TmuxTerminal("bench", "-d", seconds, server.url())
        var isShown = true
        for bar in ["round trips [", "throughput ["] {
            let screen = try terminal.waitFor("a bar") { $0.contains(bar) || $0.contains("exit ") }
            isShown = isShown && screen.contains(bar)
        }
        let screen = try terminal.waitFor("exit 0")
        #expect(screen.contains("p99.9"))
        #expect(!screen.contains("[#"))
        return isShown
    }
}
