// Writing and reading values of the application's types.

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
