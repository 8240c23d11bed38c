// A real terminal for a test to type in and to look at.

import Foundation
import LWSServiceLoop
import TestSupport

/// A tmux server of its own with one window, in which a command of the shell runs. It goes with this object.
final class TmuxTerminal {
    private let folder: TemporaryFolder
    private let server: PeerProcess
    private let program: String

    /// Starts lwscat in it. When that ends, the screen says "exit" and its code, and what is typed is echoed.
    convenience init(
        _ arguments: String..., environment: [String: String] = [:], columns: Int = 80, rows: Int = 24
    ) throws {
        let command = try Shell.command(arguments, environment)
        try self.init(shell: "\(command); echo \"exit $?\"; exec cat", columns: columns, rows: rows)
    }

    init(shell command: String, columns: Int, rows: Int) throws {
        let places = ["/usr/bin/tmux", "/usr/local/bin/tmux", "/opt/homebrew/bin/tmux"]
        guard let program = places.first(where: { access($0, X_OK) == 0 }) else {
            throw PeerError("tmux is missing: run `make test-deps` first")
        }
        self.program = program
        folder = try TemporaryFolder("lwscat-tmux")
        // In the foreground, so that it ends with the test's process however that ends.
        server = try PeerProcess(
            "/usr/bin/env", ["LC_ALL=C.UTF-8", program, "-D", "-S", folder.file("socket"), "-f", "/dev/null"])
        // tmux does not tell when it listens.
        guard eventually({ (try? tmux("start-server")) != nil }) else {
            throw PeerError("tmux does not start: \(server.output)")
        }
        try tmux("new-session", "-d", "-x", "\(columns)", "-y", "\(rows)", "/bin/sh", "-c", command)
    }

    deinit { server.stop() }

    /// Types a text.
    func type(_ text: String) throws { try tmux("send-keys", "-l", "--", text) }

    /// Presses keys, by tmux's names for them.
    func press(_ keys: String...) throws { try tmux(["send-keys"] + keys) }

    func resize(columns: Int, rows: Int = 24) throws {
        try tmux("resize-window", "-x", "\(columns)", "-y", "\(rows)")
    }

    /// What is on the screen, without the empty rows at its end.
    func screen(withColours: Bool = false) throws -> String {
        let text = try tmux(["capture-pane", "-p"] + (withColours ? ["-e"] : []))
        var rows = text.split(separator: "\n", omittingEmptySubsequences: false)
        while rows.last?.isEmpty == true { rows.removeLast() }
        return rows.joined(separator: "\n")
    }

    /// Waits until the cursor is in this column and row.
    func waitFor(cursor: String) throws {
        var last = ""
        let isThere = try eventually {
            last = try tmux("display-message", "-p", "#{cursor_x},#{cursor_y}").trimmingCharacters(in: .newlines)
            return last == cursor
        }
        guard isThere else { throw PeerError("the cursor is not at \(cursor), but at \(last)") }
    }

    /// Waits until the screen is as wanted; nobody announces what a terminal shows. Returns the screen.
    @discardableResult
    func waitFor(
        _ what: String, withColours: Bool = false, where isRight: (String) -> Bool
    ) throws -> String {
        var last = ""
        let isShown = try eventually {
            last = try screen(withColours: withColours)
            return isRight(last)
        }
        guard isShown else { throw PeerError("the screen does not show \(what):\n\(last)") }
        return last
    }

    /// Waits until the screen contains `text`.
    @discardableResult
    func waitFor(_ text: String) throws -> String { try waitFor("\"\(text)\"") { $0.contains(text) } }

    /// Waits until the rows at the screen's end are these.
    func waitFor(rows: String...) throws {
        try waitFor("\(rows) at its end") { $0.split(separator: "\n").suffix(rows.count).map(String.init) == rows }
    }

    @discardableResult
    private func tmux(_ arguments: String...) throws -> String { try tmux(arguments) }

    @discardableResult
    private func tmux(_ arguments: [String]) throws -> String {
        // -N: never a server that nobody would end; -u: UTF-8, whatever the environment says.
        let client = try PeerProcess(program, ["-u", "-N", "-S", folder.file("socket")] + arguments)
        guard try client.waitForExit() == .code(0) else { throw PeerError("tmux \(arguments): \(client.output)") }
        return client.output
    }
}
