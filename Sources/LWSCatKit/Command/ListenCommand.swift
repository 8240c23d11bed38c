// `lwscat listen`: the echo server.

import ArgumentParser
import LWSEchoServer
import LWSEchoServerOptions

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
