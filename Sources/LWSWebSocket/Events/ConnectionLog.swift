// What happens to a client's connections, written to the application's log.

internal import Logging
internal import LWSServiceLoop

#if canImport(FoundationEssentials)
    internal import FoundationEssentials
#else
    internal import Foundation
#endif

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// The log of one connection: every line says whose it is, by the client's identifier and the connection's number.
///
/// A line is written where the thing happens, on a caller's thread or on the one that serves the loop, with no lock of a client
/// held. What is below the logger's level costs a look at that. What a log handler does brings no lines about on its thread.
struct ConnectionLog: Sendable {
    /// The log of a client, and what all its connections share of it.
    private final class Client: Sendable {
        let logger: Logger
        let identifier = UUID()
        let payloadBytes: Int

        init(_ logger: Logger, payloadBytes: Int) {
            self.logger = logger
            self.payloadBytes = payloadBytes
        }
    }

    private let client: Client
    /// Which of the client's connections it is, those that failed to open included, from 1 on.
    let number: Int

    /// Of a client's first connection.
    /// - Parameter payloadBytes: of each message so much is shown, at the level trace.
    init(_ logger: Logger, payloadBytes: Int = 0) {
        self.init(Client(logger, payloadBytes: payloadBytes), number: 1)
    }

    private init(_ client: Client, number: Int) {
        self.client = client
        self.number = number
    }

    /// Of a connection of nobody's.
    static var silent: ConnectionLog {
        ConnectionLog(Logger(label: "LWSWebSocket") { _ in SwiftLogNoOpLogHandler() })
    }

    /// Of the same client's next connection.
    var next: ConnectionLog { ConnectionLog(client, number: number + 1) }

    /// What the client is called, in its lines too.
    var identifier: String { client.identifier.uuidString }

    func takes(_ level: Logger.Level) -> Bool { client.logger.logLevel <= level }

    /// - Parameter facts: none of them a secret, each with a key that begins with `ws_`.
    func write(
        _ level: Logger.Level, _ message: @autoclosure () -> Logger.Message,
        _ facts: @autoclosure () -> Logger.Metadata = [:]
    ) {
        guard takes(level), !Self.handling.isSet else { return }
        // In a callback of lws it says what becomes of the connection (``HeldLoop/lacksMemory``).
        let before = errno
        var (message, metadata) = (message(), facts())
        metadata["ws_connection_id"] = .string(identifier)
        metadata["ws_connection"] = .stringConvertible(number)
        Self.handling.whileSet {
            ForkedProcess.callOut { client.logger.log(level: level, message, metadata: metadata) }
        }
        errno = before
    }

    private static let handling = ThreadMark()

    /// Refuses to block inside a log handler, whose line may come before the very thing that is waited for.
    static func refuseInsideHandler(host: String) throws(WebSocketError) {
        guard handling.isSet else { return }
        throw WebSocketError(
            .invalidArgument, "A blocking call was made inside a log handler; make it elsewhere", host: host)
    }

    // MARK: - Frames and payloads

    /// A frame with so many bytes of payload, as it goes over the wire.
    func frame(_ direction: Direction, _ kind: FrameKind, bytes: Int, isFinal: Bool = true) {
        write(
            .debug, "frame \(direction.rawValue)",
            [
                "ws_frame": .string(kind.rawValue), "ws_bytes": .stringConvertible(bytes),
                "ws_final": .stringConvertible(isFinal),
            ])
    }

    /// Whether the application has asked for what messages say.
    var showsPayloads: Bool { client.payloadBytes > 0 && takes(.trace) }

    func received(_ message: WebSocketMessage) {
        switch message {
        case .text(let text): payload("received", .text, text.utf8, of: text.utf8.count)
        case .binary(let bytes): payload("received", .binary, bytes, of: bytes.count)
        }
    }

    /// - Parameter message: not masked yet.
    func sent(_ message: OutgoingMessage) {
        guard showsPayloads else { return }
        for part in message.contents(upTo: client.payloadBytes) {
            payload("to be sent", part.kind, part.beginning, of: part.count)
        }
    }

    private func payload(_ what: String, _ kind: MessageKind, _ bytes: some Collection<UInt8>, of count: Int) {
        let shown = bytes.prefix(client.payloadBytes)
        let text =
            switch kind {
            // Quoted, so that no payload makes lines of its own. A character may be cut.
            case .text: String(decoding: shown, as: UTF8.self).debugDescription.inOneLine
            case .binary: shown.map(\.hexadecimal).joined()
            }
        write(
            .trace, "message \(what)",
            [
                "ws_message": .string(kind.rawValue), "ws_bytes": .stringConvertible(count),
                "ws_payload": .string(shown.count < count ? "\(text)…" : text),
            ])
    }

    enum Direction: String {
        case received
        case sent
    }

    /// By RFC 6455, section 5.2.
    enum FrameKind: String {
        case continuation, text, binary, close, ping, pong

        /// - Parameter opcode: of a data frame.
        init(opcode: UInt8) {
            self =
                switch opcode {
                case 1: .text
                case 2: .binary
                default: .continuation
                }
        }
    }
}

extension ConnectionLog.FrameKind {
    init(_ kind: OutgoingMessage.Kind) {
        self =
            switch kind {
            case .text: .text
            case .binary: .binary
            case .ping: .ping
            case .pong: .pong
            }
    }
}
