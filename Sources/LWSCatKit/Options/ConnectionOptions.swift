// Options/: from the command line to a configuration.
//
// Holds: the groups of options, each with what it sets of the client's configuration or the session's settings.
// Used by: Command, Bench.
// Uses: Session; ArgumentParser, LWSWebSocket, Logging.

import ArgumentParser
import LWSWebSocket
import Logging

/// The options that say how to connect. What an option says goes before what the file says.
struct ConnectionOptions: ParsableArguments {
    @Option(
        name: .customLong("config"),
        help: .init(
            "A JSON file with the fields of the library's ClientConfiguration; options go before it.",
            valueName: "file"),
        completion: .file(extensions: ["json"]))
    var configurationFile: String?

    @OptionGroup(title: "Handshake") var handshake: HandshakeOptions
    @OptionGroup(title: "Authentication") var authentication: AuthenticationOptions
    @OptionGroup(title: "TLS") var tls: TLSOptions
    @OptionGroup(title: "Certificates and keys") var identity: IdentityOptions
    @OptionGroup(title: "Limits") var limits: LimitOptions
    @OptionGroup(title: "Compression") var compression: CompressionSettings
    @OptionGroup(title: "Keep-alive and retry") var upkeep: UpkeepOptions
    @OptionGroup(title: "Route") var route: RouteOptions

    /// The configuration that they describe. Silences the logs: the errors say it all, and lines of a log would mix with
    /// the messages.
    func configuration() throws(Failure) -> ClientConfiguration {
        LibwebsocketsLog.setLevel(.critical)
        var configuration = try base()
        configuration.logger.logLevel = .critical
        try handshake.apply(to: &configuration)
        try authentication.apply(to: &configuration)
        try tls.apply(to: &configuration)
        try identity.apply(to: &configuration)
        try route.apply(to: &configuration)
        limits.apply(to: &configuration)
        compression.apply(to: &configuration)
        try upkeep.apply(to: &configuration)
        return configuration
    }

    private func base() throws(Failure) -> ClientConfiguration {
        guard let configurationFile else { return ClientConfiguration() }
        do throws(WebSocketError) {
            return try ClientConfiguration(jsonFile: configurationFile)
        } catch {
            throw Failure(.usage, error.description)
        }
    }

    /// A URL as it is typed: the scheme may be left out.
    static func url(_ text: String) -> String {
        text.contains("://") ? text : "ws://\(text)"
    }
}

// MARK: - What is offered for the compression of messages

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
