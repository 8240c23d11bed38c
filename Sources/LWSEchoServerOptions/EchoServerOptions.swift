// LWSEchoServerOptions/: the echo server's options on a command line.
//
// Holds: what lws-echo-server and `lwscat listen` have in common.

import ArgumentParser
package import LWSEchoServer

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// What the commands that serve have in common.
package struct EchoServerOptions: ParsableArguments {
    /// What there is to connect to, for the help of a command.
    package static let paths = """
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

    @Option(help: "The numeric address to listen on.")
    var host = "127.0.0.1"

    @OptionGroup(title: "TLS, with --tls-cert")
    var tlsOptions: TLSOptions

    @Option(name: .customLong("subprotocol"), help: "A sub-protocol to accept; may be repeated.")
    var subProtocols: [String] = []

    @Flag(name: .customLong("no-compression"), help: "Never agrees to permessage-deflate.")
    var isCompressionDisabled = false

    package init() {}

    /// Serves until SIGINT or SIGTERM, and tells on standard output where. To be called before the first thread starts.
    package func serve(port: Int) throws(EchoServerError) {
        // Blocked before the first thread starts, so that no thread is interrupted by them; sigwait takes them.
        var signals = sigset_t()
        sigemptyset(&signals)
        sigaddset(&signals, SIGINT)
        sigaddset(&signals, SIGTERM)
        pthread_sigmask(SIG_BLOCK, &signals, nil)
        let server = try EchoServer(
            EchoServer.Configuration(
                host: host, port: port, tls: try tlsOptions.configuration(), subProtocols: subProtocols,
                isCompressionEnabled: !isCompressionDisabled))
        print("listening on \(server.url())")
        fflush(nil)
        var received: Int32 = 0
        sigwait(&signals, &received)
        server.stop()
    }
}
