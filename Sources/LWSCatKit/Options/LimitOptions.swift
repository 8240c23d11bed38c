// How long and how large things may be, how a connection is kept alive, and made again.

import ArgumentParser
import LWSWebSocket

struct LimitOptions: ParsableArguments {
    @Option(
        name: .customLong("read-timeout"),
        help: .init("Ends where no message comes for so long. (default: none)", valueName: "seconds"))
    var readTimeout: TimeLimit?

    @Option(
        name: .customLong("write-timeout"),
        help: .init("Ends where a message is not taken for so long. (default: none)", valueName: "seconds"))
    var writeTimeout: TimeLimit?

    @Option(
        name: .customLong("max-frame-size"),
        help: .init("The longest frame, both ways; K, M and G are multiples. (default: 64K)", valueName: "bytes"))
    var maxFrameSize: ByteCount?

    @Option(
        name: .customLong("max-message-size"),
        help: .init("The longest incoming message, or 'none'. (default: 64M)", valueName: "bytes"))
    var maxMessageSize: ByteCount?

    func apply(to configuration: inout ClientConfiguration) {
        if let readTimeout { configuration.readTimeout = readTimeout.duration }
        if let writeTimeout { configuration.writeTimeout = writeTimeout.duration }
        // 0 stands for the default.
        if let maxFrameSize { configuration.maxFrameSize = maxFrameSize.bytes ?? 0 }
        if let maxMessageSize { configuration.maxMessageSize = maxMessageSize.bytes }
    }
}

// MARK: - How a connection is kept alive, and made again

struct UpkeepOptions: ParsableArguments {
    @Option(
        name: .customLong("ping-interval"),
        help: .init("Sends a ping that often. (default: never)", valueName: "seconds"))
    var pingInterval: TimeLimit?

    @Option(
        name: .customLong("pong-timeout"),
        help: .init("Gives a server up that is silent for so long after a ping.", valueName: "seconds"))
    var pongTimeout: TimeLimit?

    @Option(
        name: .customLong("retry"),
        help: .init(
            "Connects again, at first and after a loss: n times, 0 without limit. (default: not at all)",
            valueName: "n"))
    var retries: Int?

    @Option(
        name: .customLong("retry-interval"),
        help: .init("The wait before the first of them. (default: 1)", valueName: "seconds"))
    var interval: TimeLimit?

    @Option(
        name: .customLong("retry-back-off"),
        help: .init("By how much each wait is longer than the one before. (default: 1)", valueName: "factor"))
    var backOff: Double?

    @Option(
        name: .customLong("retry-max-wait"), help: .init("The longest wait. (default: 30)", valueName: "seconds"))
    var longestWait: TimeLimit?

    func validate() throws {
        for (name, value) in [("--retry-interval", interval), ("--retry-max-wait", longestWait)]
        where value != nil && value?.duration == nil {
            throw ValidationError("\(name) is a number of seconds")
        }
    }

    func apply(to configuration: inout ClientConfiguration) throws(Failure) {
        if let pingInterval { configuration.pingInterval = pingInterval.duration }
        if let pongTimeout { configuration.pongTimeout = pongTimeout.duration }
        if let retries {
            configuration.retryConfig = configuration.retryConfig ?? .init()
            configuration.retryConfig?.maxCount = retries
        }
        guard configuration.retryConfig != nil else {
            guard interval == nil, backOff == nil, longestWait == nil else {
                throw Failure(.usage, "--retry-interval, --retry-back-off and --retry-max-wait go with --retry")
            }
            return
        }
        if let wait = interval?.duration { configuration.retryConfig?.interval = wait }
        if let backOff { configuration.retryConfig?.backOffFactor = backOff }
        if let wait = longestWait?.duration { configuration.retryConfig?.maxWaitInterval = wait }
    }
}
