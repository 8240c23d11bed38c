// What is offered for the compression of messages.

import ArgumentParser
import LWSWebSocket

struct CompressionSettings: ParsableArguments {
    @Flag(name: .customLong("no-compression"), help: "Does not offer permessage-deflate.")
    var isOff = false

    @Option(
        name: .customLong("compression-level"),
        help: .init("From 1, the fastest, to 9, the smallest. (default: 1)", valueName: "level"))
    var level: Int?

    @Flag(name: .customLong("client-no-context-takeover"), help: "Compresses every message by itself.")
    var clientForgets = false

    @Flag(
        name: .customLong("server-no-context-takeover"), help: "Asks the server to compress every message by itself.")
    var serverForgets = false

    @Option(
        name: .customLong("client-max-window-bits"),
        help: .init("The largest window of this side, 9 to 15.", valueName: "bits"))
    var clientBits: Int?

    @Option(
        name: .customLong("server-max-window-bits"),
        help: .init("The largest window of the server, 8 to 15.", valueName: "bits"))
    var serverBits: Int?

    func apply(to configuration: inout ClientConfiguration) {
        if isOff { configuration.webSocketCompressionEnabled = false }
        if let level { configuration.compression.level = level }
        if clientForgets { configuration.compression.clientNoContextTakeover = true }
        if serverForgets { configuration.compression.serverNoContextTakeover = true }
        if let clientBits { configuration.compression.clientMaxWindowBits = clientBits }
        if let serverBits { configuration.compression.serverMaxWindowBits = serverBits }
    }
}
