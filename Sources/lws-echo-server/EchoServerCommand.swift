// The echo server as a command.

import ArgumentParser
import LWSEchoServer

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

@main
struct EchoServerCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "lws-echo-server",
        abstract: "A WebSocket server for tests: it echoes, and does wrong on request.",
        discussion: """
            What a connection does is chosen by its path:
              /echo, /                 echoes text and binary, with the boundaries of the frames
              /close/<code>/<reason>   closes right after opening; the reason may be left out
              /drop                    ends TCP without a close frame right after opening
              /drop/<n>                echoes, and drops after n messages
              /silent                  never reads, never answers, never acknowledges a close
              /slow-upgrade/<ms>       answers the upgrade after that many milliseconds, then echoes
              /refuse/<status>         refuses the upgrade with that HTTP status
              /push/<count>/<size>     sends count binary messages of size bytes, then echoes
              /ping/<count>            sends pings one after the other, then "pongs: <count>", then echoes
              /fragments/<n>           sends each message back in n fragments
              /headers                 sends the request's headers as JSON, then echoes
            Anything else is refused with 404.
            """
    )

    @Option(help: "The numeric address to listen on.")
    var host = "127.0.0.1"

    @Option(help: "The TCP port; 0 takes any free one.")
    var port = 9001

    @OptionGroup(title: "TLS, with --tls-cert")
    var tlsOptions: TLSOptions

    @Option(name: .customLong("subprotocol"), help: "A sub-protocol to accept; may be repeated.")
    var subProtocols: [String] = []

    @Flag(name: .customLong("no-compression"), help: "Never agrees to permessage-deflate.")
    var isCompressionDisabled = false

    func run() throws {
        // Blocked before the first thread starts, so that no thread is interrupted by them; sigwait takes them.
        var signals = sigset_t()
        sigemptyset(&signals)
        sigaddset(&signals, SIGINT)
        sigaddset(&signals, SIGTERM)
        pthread_sigmask(SIG_BLOCK, &signals, nil)
        let server: EchoServer
        do throws(EchoServerError) {
            server = try EchoServer(
                EchoServer.Configuration(
                    host: host, port: port, tls: try tlsOptions.configuration(), subProtocols: subProtocols,
                    isCompressionEnabled: !isCompressionDisabled))
        } catch {
            // ArgumentParser writes "Error: " and the error's words to standard error.
            throw StartFailure(description: error.description)
        }
        print("listening on \(server.url())")
        fflush(nil)
        var received: Int32 = 0
        sigwait(&signals, &received)
        server.stop()
    }
}

/// The error that ends the command, with exit code 1.
private struct StartFailure: Error, CustomStringConvertible {
    let description: String
}
