// `lwscat URL`: talk to a server; `lwscat listen`: the echo server.

import ArgumentParser
import LWSEchoServer
import LWSEchoServerOptions
import LWSWebSocket

struct ConnectCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "connect",
        abstract: "A WebSocket client for the terminal and for pipes.",
        usage: """
            lwscat [<options>] <url>
            lwscat bench [<options>] <url>
            lwscat listen [<options>] <port>
            """,
        discussion: """
            In a terminal, what is typed is sent line by line, and what is received is shown above the line that is being \
            typed; Ctrl-D or Ctrl-C closes. The keys are those of a shell, with a history. From a pipe or a file each line \
            is sent as one message; each message that comes is written to standard output, with a line end.

            At the end of a pipe the connection is closed with 1000 as soon as the server has answered a ping and nothing \
            has come for half a second; --wait, --keep-open and --count say otherwise. 'lwscat bench' measures a server \
            that echoes, 'lwscat listen' is one; both have a --help of their own. 'lwscat --generate-completion-script' \
            prints completions for bash, zsh or fish.

            \(ExitStatus.help)
            """
    )

    @Argument(help: "ws://host[:port][/path], wss://… or ws+unix:///path/of/socket[:/path]; ws:// may be left out.")
    var url: String

    @OptionGroup(title: "Messages") var messages: MessageOptions
    @OptionGroup(title: "Ending") var ending: EndingOptions
    @OptionGroup var display: DisplayOptions
    @OptionGroup var connection: ConnectionOptions

    func run() throws {
        var settings = SessionSettings()
        messages.apply(to: &settings)
        ending.apply(to: &settings)
        display.apply(to: &settings)
        let session = try Session(
            ConnectionOptions.url(url), try connection.configuration(), settings, SessionSurface(settings))
        try session.run().leave()
    }
}

// MARK: - `lwscat listen`: the echo server

struct ListenCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "listen",
        abstract: "Serve: an echo server that does wrong on request, until Ctrl-C.",
        usage: "lwscat listen [<options>] <port>",
        discussion: EchoServerOptions.paths + "\n\n" + ExitStatus.help
    )

    @Argument(help: "The TCP port; 0 takes any free one, which is told.")
    var port: Int

    @OptionGroup var options: EchoServerOptions

    func run() throws {
        do throws(EchoServerError) {
            try options.serve(port: port)
        } catch {
            throw Failure(Self.status(of: error), error.description)
        }
    }

    private static func status(of error: EchoServerError) -> ExitStatus {
        switch error {
        case .portInUse, .cannotListen, .resources: .cannotConnect
        default: .usage
        }
    }
}
