// How long and how large things may be.

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
