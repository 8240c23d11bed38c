// Command/: lwscat's commands.
//
// Holds: the program from its arguments to its exit code, `connect` and `listen`, and the completions of shells.
// Used by: applications.
// Uses: Bench, Options, Session, Terminal; ArgumentParser, LWSEchoServer, LWSEchoServerOptions, LWSServiceLoop, LWSWebSocket.

import ArgumentParser
import LWSServiceLoop

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// What `main` calls.
package enum LWSCatProgram {
    /// Runs the command that the arguments ask for, and ends the process with its exit code.
    package static func run(_ arguments: [String]) -> Never {
        // A pipe that nobody reads any more is an error of `write`, not the process's end.
        signal(SIGPIPE, SIG_IGN)
        if isRequestForHelp(arguments) {
            Descriptor.output.write(LWSCat.helpMessage(for: ConnectCommand.self) + "\n")
            ExitStatus.closedNormally.leave()
        }
        do {
            var command = try LWSCat.parseAsRoot(arguments)
            try command.run()
            ExitStatus.closedNormally.leave()
        } catch let failure as Failure {
            Descriptor.errors.write("lwscat: \(TerminalText.harmless(failure.description))\n")
            failure.status.leave()
        } catch {
            let isMeant = LWSCat.exitCode(for: error) == .success  // --help, and the completion scripts
            var message = LWSCat.fullMessage(for: error)
            if isMeant { message = CompletionScript.completingDefault(message) }
            (isMeant ? Descriptor.output : .errors).write(message + "\n")
            (isMeant ? ExitStatus.closedNormally : .usage).leave()
        }
    }

    /// Whether it is the help of the program that is asked for: the one of its default command, which says it all.
    static func isRequestForHelp(_ arguments: [String]) -> Bool {
        arguments.count == 1 && ["--help", "-h", "help"].contains(arguments[0])
    }
}

/// The program's commands.
struct LWSCat: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "lwscat",
        abstract: "A WebSocket client for the terminal and for pipes.",
        discussion: ExitStatus.help,
        version: PackageRelease.description,
        subcommands: [ConnectCommand.self, BenchCommand.self, ListenCommand.self],
        defaultSubcommand: ConnectCommand.self
    )
}
