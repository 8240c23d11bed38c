// Errors/: why a call has failed.
//
// Holds: the one error that all calls throw, the conditions that several of them share, and what keeps secrets out of its
// words.
// Used by: Client, Reconnecting, Configuration, Auth, Session, Connection, TLS, Addressing, OpenSSL, Loop, HTTP, Files, Events,
// Compression.
// Uses: Messages, Utilities, Validation; HTTPTypes, LWSServiceLoop.

public import HTTPTypes
internal import LWSServiceLoop

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// Why a call of ``WebSocketClient`` failed.
///
/// A struct with an extensible ``Code`` rather than an enum, so that a later release can tell more kinds apart
/// without breaking a `switch`. ``description`` is one plain sentence that names the URL's host and, where that is
/// known, what to do; it never contains a secret.
public struct WebSocketError: Error, Sendable {
    /// What kind of failure it is.
    public let code: Code
    /// The host of the URL, or the path of its socket, where the call had got that far.
    public let host: String?
    /// The server's answer to the handshake, where there was one (``Code/invalidHandshake``); the status alone of a
    /// proxy that refused to connect to it (``Code/connection``).
    public let httpResponse: HTTPResponse?
    /// The beginning of that answer's body, where it refuses the handshake with a status other than 101: what had
    /// arrived when its head was complete, 4,096 bytes at most, and always bytes of that answer. So it may be cut
    /// off, or `nil`, where the server sends it later than the head: libwebsockets ends the connection at once. The
    /// chunked coding is undone (chunks of 64 KiB and more are left out), a Content-Encoding is not. It is no part of
    /// ``description``.
    public let httpResponseBody: [UInt8]?
    /// How the connection ended, where it has (``Code/connectionClosure`` and failures that end a connection).
    public let closure: Closure?
    /// libwebsockets' own words, where it had any. For a bug report, not for a program to look into.
    public let libraryDetail: String?
    /// The message that was read but did not bind to its type, or violates its constraints (``Code/payloadBinding``
    /// and ``Code/payloadValidation``), as it came. It is no part of ``description``, so that it does not end up in
    /// a log by accident.
    public let rejectedMessage: WebSocketMessage?
    /// Every constraint that the message violates (``Code/payloadValidation``), in the order of their declaration.
    public let violations: [ConstraintViolation]

    let message: String
    /// Whether the call could be made again without doing twice what it was to do once.
    private let mayBeRepeated: Bool
    /// Whether a failure of a kind that stays as it is may pass this time.
    private let isTransient: Bool

    init(
        _ code: Code, _ message: String, host: String? = nil, httpResponse: HTTPResponse? = nil,
        httpResponseBody: [UInt8]? = nil, closure: Closure? = nil, libraryDetail: String? = nil,
        rejectedMessage: WebSocketMessage? = nil, violations: [ConstraintViolation] = [], mayBeRepeated: Bool = true,
        isTransient: Bool = false
    ) {
        self.code = code
        self.message = message
        self.host = host
        self.httpResponse = httpResponse
        self.httpResponseBody = httpResponseBody
        self.closure = closure
        self.libraryDetail = libraryDetail
        self.rejectedMessage = rejectedMessage
        self.violations = violations
        self.mayBeRepeated = mayBeRepeated
        self.isTransient = isTransient
    }

    /// The same after some messages of several that belong together had been sent.
    func afterSending(_ sent: Int, of count: Int) -> WebSocketError {
        WebSocketError(
            code, "\(message); \(sent) of the \(count) messages had been sent before", host: host, closure: closure,
            mayBeRepeated: false)
    }

    /// The same where it was for want of memory, whatever it looked like.
    var forWantOfMemory: WebSocketError {
        guard !isTransient else { return self }
        return WebSocketError(
            code == .auth ? .auth : .ssl, "\(message): the process has no memory for it", host: host,
            libraryDetail: libraryDetail, isTransient: true)
    }

    /// Whether it may go better next time: the server could not be reached, did not answer in time, or answered with
    /// a 5xx, or ended the TLS handshake without a word; or the endpoint that tokens come from did so; or the process had too
    /// little memory, or too few descriptors; or nothing came or went within a call's time, and the connection is still open;
    /// or the connection was lost without a close frame. Where the connection has ended (``closure`` is set), next time means
    /// a new client, and what was written last may or may not have arrived. A write whose message may have arrived in part is
    /// not retriable: to send it again could be to send it twice.
    public var isRetriable: Bool {
        guard mayBeRepeated else { return false }
        return switch code {
        case .handshakeTimedOut, .readTimedOut: true
        case .connection: httpResponse.map { $0.status.kind == .serverError } ?? true
        case .writeTimedOut: closure == nil
        case .invalidHandshake: httpResponse.map { $0.status.kind == .serverError } ?? false
        case .connectionClosure: closure?.initiator == .network
        case .ssl, .auth: isTransient
        default: false
        }
    }
}

extension WebSocketError {
    /// The kinds of failure, each a stable name.
    public struct Code: Hashable, Sendable, CustomStringConvertible {
        /// The name, as "readTimedOut".
        public let description: String
        private init(_ name: String) { description = name }

        /// The URL, the configuration or an argument is not valid, or asks for what this libwebsockets cannot do. Nothing was
        /// sent.
        public static let invalidArgument = Code("invalidArgument")
        /// The server could not be reached, or ended the connection before it answered the handshake.
        public static let connection = Code("connection")
        /// The server's answer is not an acceptable WebSocket handshake (RFC 6455, section 4.1).
        public static let invalidHandshake = Code("invalidHandshake")
        /// The handshake was not complete within `handShakeTimeout`.
        public static let handshakeTimedOut = Code("handshakeTimedOut")
        /// TLS failed, in the words of the reason: see ``ClientSecureSocket``.
        public static let ssl = Code("ssl")
        /// A token or credential could not be had.
        public static let auth = Code("auth")
        /// No message came within `readTimeout`. The connection is still open.
        public static let readTimedOut = Code("readTimedOut")
        /// The message did not leave within `writeTimeout`. The connection is still open unless ``closure`` is set.
        public static let writeTimedOut = Code("writeTimedOut")
        /// A frame or message from the peer is longer than `maxFrameSize` or `maxMessageSize`.
        public static let payloadTooLarge = Code("payloadTooLarge")
        /// The peer sent a frame that RFC 6455 does not allow, or a text that is not UTF-8.
        public static let corruptedFrame = Code("corruptedFrame")
        /// The peer sent a continuation frame that continues nothing, or began a message inside another.
        public static let invalidContinuationFrame = Code("invalidContinuationFrame")
        /// The next message is of the other kind. It stays first in line.
        public static let unexpectedMessageKind = Code("unexpectedMessageKind")
        /// A message does not have the shape of the type asked for. It is on ``WebSocketError/rejectedMessage``.
        public static let payloadBinding = Code("payloadBinding")
        /// A message violates its type's constraints: ``WebSocketError/violations`` lists them all.
        public static let payloadValidation = Code("payloadValidation")
        /// The task of an `async` call was cancelled before the call was done. The connection is as it was, unless the call was
        /// one that connects or closes; see ``WebSocketClient/receive()`` and ``WebSocketClient/send(_:)-(String)``.
        public static let cancelled = Code("cancelled")
        /// The connection is closed; ``WebSocketError/closure`` says by whom and how.
        public static let connectionClosure = Code("connectionClosure")
    }

    /// How a connection ended.
    public struct Closure: Sendable, Hashable {
        /// Who ended it.
        public enum Initiator: Sendable, Hashable {
            /// This side.
            case local
            /// The peer, with a close frame.
            case peer
            /// Nobody said so: TCP ended without a close frame.
            case network
        }

        /// The status code: the peer's where it sent a close frame, else ours, else 1006. 1005 stands for a close
        /// frame without a code, 1006 for no close frame at all (RFC 6455, section 7.4.1).
        ///
        /// libwebsockets replaces some codes of the peer by 1002 before anyone can see them: those below 1000,
        /// 1004 to 1006, and 1016 to 2999; 4.1 also 1012 to 1015. A close with 1015 elsewhere, or with a code above
        /// 4999, is ``Code/corruptedFrame``.
        public let code: Int
        /// The reason that belongs to ``code``; empty where none was given.
        public let reason: String
        /// Who ended the connection.
        public let initiator: Initiator
        /// Whether the peer has said that it ends, too (RFC 6455, section 7.1.4): with the close frame that began the end, or
        /// with the answer to this side's. An error that is thrown before the answer comes does not know of it;
        /// ``WebSocketClient/closure`` does.
        public let isClean: Bool

        init(code: Int, reason: String, initiator: Initiator, isClean: Bool = false) {
            self.code = code
            self.reason = reason
            self.initiator = initiator
            self.isClean = isClean
        }
    }
}

extension WebSocketError: CustomStringConvertible {
    /// One plain sentence, without a secret.
    public var description: String { message }
}

// MARK: - The error of a call in a forked child

extension WebSocketError {
    /// Refuses a call that would wait for a thread which this process does not have. Takes no lock.
    static func refuseInForkedProcess(host: String) throws(WebSocketError) {
        guard ForkedProcess.isCurrent else { return }
        throw WebSocketError(
            .invalidArgument,
            "This process was forked after the library had started its threads, of which a fork copies none: have the "
                + "child start a program (exec), or fork before the first client connects", host: host)
    }
}

// MARK: - Telling a shortage of descriptors from other reasons why something cannot be opened

/// The process (EMFILE) or the system (ENFILE) has no descriptor left. It goes by, so what failed for it may be tried again.
enum DescriptorShortage {
    static func isReason(_ code: Int32) -> Bool { code == EMFILE || code == ENFILE }

    /// The system's words where there is none left at this moment, for a library that has not told why it failed.
    static var words: String? { reason(opening: "/").map(SystemReason.words) }

    /// Whether a file is there that cannot be opened for that reason.
    static func hides(_ path: UnsafePointer<CChar>) -> Bool { reason(opening: path) != nil }

    private static func reason(opening path: UnsafePointer<CChar>) -> Int32? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor < 0 else {
            close(descriptor)
            return nil
        }
        let code = errno
        return isReason(code) ? code : nil
    }
}

// MARK: - Keeps secrets out of words that others have chosen

/// Takes what is secret out of a text, in each form in which it may have been sent.
struct Redaction: Sendable {
    private let secrets: [String]

    /// - Parameter values: the secrets as they are.
    init(_ values: [String]) {
        let forms = values.filter { !$0.isEmpty }.flatMap { [$0, FormEncoding.encode($0)] }
        // A longer one may have a shorter one in it.
        secrets = Set(forms).sorted { ($0.utf8.count, $0) > ($1.utf8.count, $1) }
    }

    /// The text without the secrets and control characters, and not longer than an error should be.
    func clean(_ text: String) -> String {
        var text = text
        for secret in secrets { text = text.replacing(secret, with: "[secret]") }
        let shown = text.unicodeScalars.prefix(Self.longest).map { $0.actsOnDisplay ? " " : $0 }
        return String(String.UnicodeScalarView(shown)) + (text.unicodeScalars.count > Self.longest ? "…" : "")
    }

    private static let longest = 500
}
