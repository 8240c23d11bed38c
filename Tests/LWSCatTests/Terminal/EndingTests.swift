// The end of a session in a terminal.

import LWSEchoServer
import TestSupport
import Testing

@Suite("Ending in a terminal", .serialized)
struct EndingTests {
    @Test("closes with 1000 and ends with 0", arguments: ["C-c", "C-d"])
    func keys(_ key: String) throws {
        let server = try ScriptedServer()
        let terminal = try TmuxTerminal(server.url())
        try terminal.waitFor(rows: ">")
        try terminal.press(key)
        #expect(try server.close().closeCode == 1000)
        try terminal.waitFor(rows: "exit 0")
        // The terminal is as it was: it echoes, and Enter ends a line.
        try terminal.type("typed")
        try terminal.press("Enter")
        try terminal.waitFor(rows: "exit 0", "typed", "typed")
    }

    @Test("Ctrl-C ends at once, also where the server does not answer the close, and in the midst of a line")
    func silentServer() throws {
        let server = try ScriptedServer(answersClose: false)
        let terminal = try TmuxTerminal("--close-timeout", "60", server.url())
        try terminal.waitFor(rows: ">")
        try terminal.type("not sent")
        try terminal.waitFor(rows: "> not sent")
        let start = ContinuousClock.now
        try terminal.press("C-c")
        try terminal.waitFor(rows: "exit 0")
        #expect(ContinuousClock.now - start < Timing.atOnce)
    }

    @Test("Ctrl-D within a line erases, and does not end")
    func eraseWithControlD() throws {
        let server = try ScriptedServer()
        let terminal = try TmuxTerminal(server.url())
        try terminal.waitFor(rows: ">")
        try terminal.type("abc")
        try terminal.press("C-a", "C-d", "Enter")
        #expect(try server.messages(1) == ["bc"])
    }

    @Test("says why, and ends with 3, where the server closes with another code")
    func closedByServer() throws {
        let server = try EchoServer()
        let terminal = try TmuxTerminal(server.url("/close/4000/enough"))
        try terminal.waitFor(
            rows: "lwscat: The connection to 127.0.0.1 was closed by the server (4000): enough", "exit 3")
    }

    @Test("tells the close with -v alone, where it is a normal one")
    func normalClose() throws {
        let server = try EchoServer()
        let quiet = try TmuxTerminal(server.url("/close/1000/bye"))
        try quiet.waitFor(rows: "exit 0")
        #expect(try !quiet.screen().contains("bye"))
        let verbose = try TmuxTerminal("-v", server.url("/close/1000/bye"))
        try verbose.waitFor(rows: "* The connection to 127.0.0.1 was closed by the server (1000): bye", "exit 0")
    }

    @Test("Ctrl-Z stops it with the terminal as it was, and fg shows the line again")
    func suspend() throws {
        let server = try ScriptedServer()
        let command = try Shell.command([server.url()])
        let terminal = try TmuxTerminal(
            shell: "exec env PS1='sh$ ' bash --norc --noprofile -i", columns: 200, rows: 24)
        try terminal.waitFor("sh$")
        try terminal.type(command + "; echo \"exit $?\"")
        try terminal.press("Enter")
        try terminal.waitFor("the prompt of lwscat") { $0.hasSuffix("\n>") }
        try terminal.type("before")
        try terminal.waitFor(rows: "> before")
        try terminal.press("C-z")
        try terminal.waitFor("the shell's prompt") { $0.hasSuffix("sh$") }
        try terminal.type("fg")
        try terminal.press("Enter")
        try terminal.waitFor("the line again") { $0.hasSuffix("\n> before") }
        try terminal.type(" and after")
        try terminal.press("Enter")
        #expect(try server.messages(1) == ["before and after"])
    }
}
