// `lwscat URL`: talk to a server.

import ArgumentParser
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
