// The program lwscat, run by a test.

import Foundation
import TestSupport

/// How to start it: arguments, what its standard input is, and what its environment has besides.
struct Cat {
    /// Its standard input.
    enum Input {
        case bytes([UInt8])
        /// One that stays open, and to which nothing comes.
        case open

        static func text(_ text: String) -> Input { .bytes(Array(text.utf8)) }
    }

    var arguments: [String]
    var input = Input.text("")
    var environment: [String: String] = [:]

    init(_ arguments: String..., input: Input = .text(""), environment: [String: String] = [:]) {
        self.arguments = arguments
        self.input = input
        self.environment = environment
    }

    /// How it ended, and what it wrote.
    struct Result {
        let exit: PeerProcess.Exit
        let bytes: [UInt8]
        let errors: String
        var output: String { String(decoding: bytes, as: UTF8.self) }
    }

    /// Runs it to its end.
    func run(within limit: Duration = Timing.ages) throws -> Result {
        try started { try $0.process.waitForExit(within: limit) }
    }

    /// Starts it, lets `body` do what it wants meanwhile and say how it ended, and collects what it wrote.
    func started(_ body: (Running) throws -> PeerProcess.Exit) throws -> Result {
        let running = try Running(self)
        let exit = try body(running)
        return try Result(exit: exit, bytes: running.written("output"), errors: running.errors)
    }

    /// While it runs.
    final class Running {
        let process: PeerProcess
        private let folder: TemporaryFolder

        init(_ cat: Cat) throws {
            folder = try TemporaryFolder("lwscat-test")
            var input = "<> \(Shell.quoted(folder.file("input")))"
            switch cat.input {
            case .bytes(let bytes):
                try Data(bytes).write(to: URL(fileURLWithPath: folder.file("input")))
                input.removeFirst(2)
                input = "<" + input
            case .open:
                guard mkfifo(folder.file("input"), 0o600) == 0 else { throw PeerError("mkfifo") }
            }
            // The shell becomes the program, so that signals go to that.
            let command = try Shell.command(cat.arguments, cat.environment)
            let files = "> \(Shell.quoted(folder.file("output"))) 2> \(Shell.quoted(folder.file("errors")))"
            process = try PeerProcess("/bin/sh", ["-c", "exec \(command) \(input) \(files)"])
        }

        /// What it has written so far, to a file of that name.
        func written(_ name: String) throws -> [UInt8] {
            try Array(Data(contentsOf: URL(fileURLWithPath: folder.file(name))))
        }

        var output: String { (try? written("output")).map { String(decoding: $0, as: UTF8.self) } ?? "" }
        var errors: String { (try? written("errors")).map { String(decoding: $0, as: UTF8.self) } ?? "" }
    }
}

/// Commands for `sh`.
enum Shell {
    static func quoted(_ text: String) -> String { "'" + text.replacing("'", with: "'\\''") + "'" }

    /// lwscat with these arguments.
    static func command(_ arguments: [String], _ environment: [String: String] = [:]) throws -> String {
        let program = try BuiltProgram.path("lwscat")
        let settings = environment.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
        // swift test sets NO_COLOR for its tests where it does not write to a terminal.
        return (["env", "-u", "NO_COLOR"] + settings + [program] + arguments).map(quoted).joined(separator: " ")
    }
}
