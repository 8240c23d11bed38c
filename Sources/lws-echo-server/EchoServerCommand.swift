// The echo server as a command.

import ArgumentParser
import LWSEchoServer
import LWSEchoServerOptions
import LWSServiceLoop

@main
struct EchoServerCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "lws-echo-server",
        abstract: "A WebSocket server for tests: it echoes, and does wrong on request.",
        discussion: """
            \(EchoServerOptions.paths)
            """,
        version: PackageRelease.description
    )

    @Option(help: "The TCP port; 0 takes any free one.")
    var port = 9001

    @OptionGroup var options: EchoServerOptions

    func run() throws {
        do throws(EchoServerError) {
            try options.serve(port: port)
        } catch {
            // ArgumentParser writes "Error: " and the error's words to standard error.
            throw StartFailure(description: error.description)
        }
    }
}

/// The error that ends the command, with exit code 1.
private struct StartFailure: Error, CustomStringConvertible {
    let description: String
}
