// Turns values into messages and messages into values.

#if canImport(FoundationEssentials)
    internal import FoundationEssentials
#else
    internal import Foundation
#endif

/// The binding of values to messages, apart from any connection.
struct MessageBinding {
    let encoder: JSONEncoder
    let decoder: JSONDecoder
    let validates: Bool
    let host: String
    /// What rules about dates compare with.
    let now: @Sendable () -> Date

    init(_ configuration: ClientConfiguration, host: String, now: @escaping @Sendable () -> Date = { Date() }) {
        encoder = configuration.jsonEncoder
        decoder = configuration.jsonDecoder
        validates = configuration.validation
        self.host = host
        self.now = now
    }

    /// A payload in the form in which the value had it, so that nothing is copied only to be sent.
    enum Outgoing: Equatable {
        case text(String)
        case bytes([UInt8])
        case data(Data)
        /// JSON, to be sent as a text.
        case json(Data)
    }

    /// The types are compared, not cast: a cast would take an optional string for a string.
    func outgoing<Value: Encodable>(_ value: Value) throws(WebSocketError) -> Outgoing {
        if Value.self == String.self, let text = value as? String { return .text(text) }
        if Value.self == [UInt8].self, let bytes = value as? [UInt8] { return .bytes(bytes) }
        if Value.self == Data.self, let data = value as? Data { return .data(data) }
        do {
            return .json(try encoder.encode(value))
        } catch {
            throw WebSocketError(
                .invalidArgument,
                "The value of type \(Value.self) for \(host) cannot be written as JSON: \(BindingFailure.words(error))",
                host: host)
        }
    }

    func bind<Value: Decodable>(
        _ message: WebSocketMessage, as type: Value.Type
    ) throws(WebSocketError) -> Value {
        let value = try decode(message, as: type)
        if validates, let validatable = value as? any Validatable {
            try check(validatable, type, message)
        }
        return value
    }

    private func decode<Value: Decodable>(
        _ message: WebSocketMessage, as type: Value.Type
    ) throws(WebSocketError) -> Value {
        if type == String.self {
            guard let value = message.validText as? Value else {
                throw failure("it is not UTF-8", message, type)
            }
            return value
        }
        if type == [UInt8].self, let value = message.bytes as? Value { return value }
        if type == Data.self, let value = Data(message.bytes) as? Value { return value }
        do throws(JSONGuard.Breach) {
            try JSONGuard.check(message, allowsJSON5: decoder.allowsJSON5)
        } catch {
            throw failure(error.description, message, type)
        }
        let bytes = message.bytes
        let json = Data(bytes)
        do {
            let names = decoder.allowsJSON5 ? nil : AmbiguousNames(in: bytes)
            return try AmbiguousNames.$current.withValue(names) { try decoder.decode(type, from: json) }
        } catch {
            throw failure(BindingFailure.words(located(error, json, type)), message, type)
        }
    }

    /// The same failure with the place where it is, if Foundation does not tell and it can be found out.
    private func located<Value: Decodable>(_ error: any Error, _ json: Data, _ type: Value.Type) -> any Error {
        guard case DecodingError.dataCorrupted(let context) = error, context.codingPath.isEmpty,
            (try? decoder.decode(Anything.self, from: json)) != nil
        else { return error }
        do {
            _ = try decoder.decode(Located<Value>.self, from: json)
            return error
        } catch {
            return error
        }
    }

    private func failure<Value>(_ reason: String, _ message: WebSocketMessage, _ type: Value.Type) -> WebSocketError {
        WebSocketError(
            .payloadBinding, "The message from \(host) does not bind to \(type): \(reason)", host: host,
            rejectedMessage: message)
    }

    private func check<Value>(
        _ value: any Validatable, _ type: Value.Type, _ message: WebSocketMessage
    ) throws(WebSocketError) {
        let violations = value.violations(at: now())
        guard !violations.isEmpty else { return }
        throw WebSocketError(
            .payloadValidation,
            "The message from \(host) violates constraints of \(type): \(ConstraintViolation.list(violations))",
            host: host, rejectedMessage: message, violations: violations)
    }
}

/// Any JSON. Nothing of it is decoded, so it only tells whether the payload is JSON.
private struct Anything: Decodable {
    init(from decoder: any Decoder) {}
}

extension WebSocketMessage {
    /// The payload as it went over the wire.
    var bytes: [UInt8] {
        switch self {
        case .text(let text): Array(text.utf8)
        case .binary(let bytes): bytes
        }
    }

    /// The payload as text, where it is UTF-8.
    var validText: String? {
        switch self {
        case .text(let text): text
        case .binary(let bytes): String(validating: bytes, as: UTF8.self)
        }
    }
}

// MARK: - Writing and reading values of the application's types

extension WebSocketClient {
    /// Sends a value: a `String` as a text message, `[UInt8]` and `Data` as a binary message, any other `Encodable`
    /// as a text message with its JSON.
    ///
    /// What counts is the type that the value has when the call is made, so generic code and `any Encodable` send
    /// the same as a direct call. The type has to be one of the three exactly: an optional string is JSON, quoted or
    /// `null`, as ``readMessage(as:)`` reads it; slices of bytes are JSON too, so send them with
    /// ``writeBinaryMessage(_:)-(ContiguousBytes)``. `[1, 2, 3]` without a type is an array of `Int`, hence JSON.
    ///
    /// The JSON is written by ``ClientConfiguration/jsonEncoder``. Constraints are not checked. Blocks as
    /// ``writeTextMessage(_:)`` does.
    /// - Throws: `invalidArgument` for a value that JSON cannot hold (an infinite number, for instance), before
    ///   anything is sent; else as ``writeTextMessage(_:)``.
    public func writeMessage(_ value: some Encodable) throws(WebSocketError) {
        switch try binding.outgoing(value) {
        case .text(let text): try writeTextMessage(text)
        case .bytes(let bytes): try write(.binary, bytes)
        case .data(let data): try write(.binary, data)
        case .json(let json): try write(.text, json)
        }
    }

    /// Sends a message as the kind that it is, as ``readMessage()`` returned it for instance. Blocks and throws as
    /// ``writeTextMessage(_:)`` does.
    public func writeMessage(_ message: WebSocketMessage) throws(WebSocketError) {
        switch message {
        case .text(let text): try writeTextMessage(text)
        case .binary(let bytes): try writeBinaryMessage(bytes)
        }
    }

    /// The next message of either kind as a value of `type`.
    ///
    /// - A `String` is the text as it is; of a binary message, its bytes read as UTF-8.
    /// - `[UInt8]` and `Data` are the bytes as they are; of a text message, its UTF-8.
    /// - Anything else is read from JSON, whichever the kind, by ``ClientConfiguration/jsonDecoder``. A single number,
    ///   string or `null` is JSON as well: `readMessage(as: Int.self)`, `readMessage(as: String?.self)`. Use
    ///   ``JSONValue`` for JSON of any shape.
    ///
    /// JSON has to be UTF-8 (RFC 8259, section 8.1) and its arrays and objects nested at most 64 deep: deeper ones
    /// are refused before they are decoded, because decoding takes a part of the thread's stack for each level.
    ///
    /// Then, with ``ClientConfiguration/validation``, the constraints of a ``Validatable`` type are checked, all of
    /// them. That goes for the type asked for, and for arrays, dictionaries and optionals of such a type.
    ///
    /// A message that does not bind or violates a constraint has been read: the next call gets the next message, so
    /// that one bad message cannot hold up a reader for ever. It is not lost, it is on the error
    /// (``WebSocketError/rejectedMessage``), whole and as it came. A message of the wrong kind cannot occur here;
    /// ``readTextMessage()``, which asks for a kind, leaves one where it is.
    ///
    /// XML is not bound. Foundation has no `Codable` for it, and its parser (FoundationXML) brings libxml2 into the
    /// process; an application that needs XML reads a `String` or `Data` and hands that to the parser it trusts.
    ///
    /// Blocks for at most ``ClientConfiguration/readTimeout``. Binding happens on the calling thread, and other
    /// readers are not held up by it.
    /// - Throws: `payloadBinding` for a message that does not have the shape of `type`, with the place in words
    ///   ("orders[2].price: expected a number, found a string"); `payloadValidation` with all violations; else as
    ///   ``readTextMessage()``, but never `unexpectedMessageKind`.
    public func readMessage<Value: Decodable>(as type: Value.Type) throws(WebSocketError) -> Value {
        try binding.bind(try readMessage(), as: type)
    }

    var binding: MessageBinding { MessageBinding(configuration, host: connection.url.host) }
}
