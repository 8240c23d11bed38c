// How messages are read and shown, and when a session ends.

import ArgumentParser
import Logging

struct MessageOptions: ParsableArguments {
    @Flag(
        name: [.customShort("b"), .customLong("binary")],
        help: "Sends lines as binary messages, and writes messages byte for byte, with nothing between.")
    var isBinary = false

    @Flag(
        name: .customLong("base64"),
        help: "Sends what lines of Base64 stand for as binary messages, and writes binary messages in Base64.")
    var isBase64 = false

    @Flag(name: [.customShort("j"), .customLong("json")], help: "Lays messages that are JSON out in lines.")
    var formatsJSON = false

    @Flag(name: .customLong("whole-input"), help: "Sends the whole input as one message.")
    var isWhole = false

    @Option(
        name: [.customShort("x"), .customLong("execute")],
        help: .init("A message to send, in place of the input; may be repeated.", valueName: "message"))
    var messages: [String] = []

    @Flag(name: .customLong("slash"), help: "In a terminal: /ping [text], /pong [text] and /close [code [reason]].")
    var hasCommands = false

    func validate() throws {
        if isBinary, isBase64 { throw ValidationError("--binary and --base64 exclude each other") }
    }

    func apply(to settings: inout SessionSettings) {
        settings.form = isBinary ? .binary : isBase64 ? .base64 : .text
        settings.formatsJSON = formatsJSON
        settings.splitsLines = !isWhole
        settings.messages = messages
        settings.hasCommands = hasCommands
    }
}

struct EndingOptions: ParsableArguments {
    @Option(
        name: [.customShort("n"), .customLong("count")],
        help: .init("Closes after that many messages have been received, whatever the input does.", valueName: "n"))
    var count: Int?

    @Flag(name: [.customShort("1"), .customLong("one-message")], help: "The same as --count 1.")
    var isOne = false

    @Option(
        name: [.customShort("w"), .customLong("wait")],
        help: .init(
            "After the end of the input, closes when nothing has come for so long; 0: at once. (default: 0.5)",
            valueName: "seconds"))
    var wait: TimeLimit?

    @Flag(name: .customLong("keep-open"), help: "After the end of the input, receives until the server closes.")
    var isKeptOpen = false

    @Option(
        name: .customLong("close-timeout"),
        help: .init("How long the server has to answer the close frame. (default: 5)", valueName: "seconds"))
    var closeTimeout: TimeLimit?

    func validate() throws {
        if let count, count < 1 { throw ValidationError("--count is at least 1") }
        if isOne, count != nil { throw ValidationError("-1 and --count exclude each other") }
        if isKeptOpen, wait != nil { throw ValidationError("--keep-open and --wait exclude each other") }
        if let closeTimeout, closeTimeout.duration == nil {
            throw ValidationError("--close-timeout is a number of seconds")
        }
    }

    func apply(to settings: inout SessionSettings) {
        settings.count = isOne ? 1 : count
        if let wait { settings.wait = wait.duration }
        if isKeptOpen { settings.wait = nil }
        if let timeout = closeTimeout?.duration { settings.closeTimeout = timeout }
    }
}

struct DisplayOptions: ParsableArguments {
    @Flag(
        name: .shortAndLong,
        help: "Tells of the handshake's answer, control frames, attempts to connect again and the close.")
    var verbose = false

    @Option(
        name: .customLong("log"),
        help: .init("Shows the library's log, from this level on; the connection waits for it.", valueName: "level"))
    var log: LogLevel?

    @Option(
        name: .customLong("log-payload"),
        help: .init(
            "With --log trace, shows so many bytes of each message; K, M and G are multiples.", valueName: "bytes"))
    var loggedPayload: ByteCount?

    @Flag(name: .customLong("no-color"), help: "Never uses colours; NO_COLOR in the environment does the same.")
    var isColourless = false

    func validate() throws {
        guard let loggedPayload else { return }
        guard log == .trace else { throw ValidationError("--log-payload goes with --log trace") }
        guard loggedPayload.bytes != nil else { throw ValidationError("--log-payload is a number of bytes") }
    }

    func apply(to settings: inout SessionSettings) {
        settings.logLevel = log?.level
        settings.loggedPayload = loggedPayload?.bytes
        settings.isVerbose = verbose
        settings.isColourWanted = !isColourless
    }
}

/// A level of swift-log.
enum LogLevel: String, CaseIterable, ExpressibleByArgument {
    case trace, debug, info, notice, warning, error

    var level: Logger.Level {
        switch self {
        case .trace: .trace
        case .debug: .debug
        case .info: .info
        case .notice: .notice
        case .warning: .warning
        case .error: .error
        }
    }
}
