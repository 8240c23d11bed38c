// The chunked transfer coding.

/// Takes a body out of its chunks (RFC 9112, section 7.1), however the bytes are cut.
///
/// Everything that the grammar allows is read: sizes in either case and with any number of zeros in front, extensions,
/// which mean nothing here, with quoted values, and trailer fields, which are dropped (section 7.1.2). One thing more: blanks
/// between a size and the end of its line, which old servers send and all browsers take.
struct ChunkedCoding {
    enum Failure: Error, Equatable {
        /// This is not the coding.
        case malformed
        /// Extensions and trailer fields of more than ``mostFraming`` bytes.
        case excessive
    }

    /// The last chunk and the trailer section have come: what follows is no part of the body.
    var isComplete: Bool { state == .complete }

    /// Bytes of sizes, extensions and trailer fields, all chunks together, beyond a dozen for each byte of content.
    static let mostFraming = 65536

    private enum State: Equatable {
        /// Before the first digit of a size, and after some.
        case sizeBegins
        case size
        /// Behind a size or an extension: blanks before a semicolon or the end of the line.
        case afterSize
        case extensionBegins
        case extensionName
        case afterName
        case valueBegins
        case value
        case quoted
        case quotedPair
        case sizeLineFeed
        case data
        case dataReturn
        case dataLineFeed
        case trailerBegins
        case trailerName
        case trailerValue
        case trailerLineFeed
        case lastLineFeed
        case complete
    }

    private var state = State.sizeBegins
    /// What is left of the chunk, once its size is known.
    private var size = 0
    private var framing = 0

    /// Takes what has come of the body.
    /// - Parameter keep: is handed the content, piece by piece.
    /// - Returns: how many of the bytes belong to the body: all, unless it is complete.
    mutating func decode(_ bytes: UnsafeRawBufferPointer, keep: (UnsafeRawBufferPointer) -> Void) throws(Failure)
        -> Int
    {
        var index = 0
        while index < bytes.count, state != .complete {
            guard state != .data else {
                let count = min(size, bytes.count - index)
                keep(UnsafeRawBufferPointer(rebasing: bytes[index..<index + count]))
                index += count
                size -= count
                // Small chunks are many lines.
                framing = max(0, framing - 12 * count)
                if size == 0 { state = .dataReturn }
                continue
            }
            try step(bytes[index])
            index += 1
            framing += 1
            guard framing <= Self.mostFraming else { throw .excessive }
        }
        return index
    }

    /// One byte of what is not content.
    private mutating func step(_ byte: UInt8) throws(Failure) {
        switch (state, byte) {
        case (.sizeBegins, _): try addDigit(byte)
        case (.size, _) where Self.digit(byte) != nil: try addDigit(byte)
        case (.size, _), (.afterSize, _): try endSize(byte)
        case (.extensionBegins, Self.space), (.extensionBegins, Self.tab): break
        case (.extensionBegins, _) where Self.isToken(byte): state = .extensionName
        case (.extensionName, _) where Self.isToken(byte): break
        case (.extensionName, UInt8(ascii: "=")), (.afterName, UInt8(ascii: "=")): state = .valueBegins
        case (.extensionName, Self.space), (.extensionName, Self.tab): state = .afterName
        case (.afterName, Self.space), (.afterName, Self.tab): break
        case (.extensionName, _), (.afterName, _): try endSize(byte)
        case (.valueBegins, Self.space), (.valueBegins, Self.tab): break
        case (.valueBegins, UInt8(ascii: "\"")): state = .quoted
        case (.valueBegins, _) where Self.isToken(byte): state = .value
        case (.value, _) where Self.isToken(byte): break
        case (.value, _): try endSize(byte)
        case (.quoted, UInt8(ascii: "\"")): state = .afterSize
        case (.quoted, UInt8(ascii: "\\")): state = .quotedPair
        case (.quoted, _) where Self.isText(byte): break
        case (.quotedPair, _) where Self.isText(byte): state = .quoted
        case (.sizeLineFeed, Self.lineFeed): state = size == 0 ? .trailerBegins : .data
        case (.dataReturn, Self.carriageReturn): state = .dataLineFeed
        case (.dataLineFeed, Self.lineFeed): state = .sizeBegins
        case (.trailerBegins, Self.carriageReturn): state = .lastLineFeed
        case (.trailerBegins, _) where Self.isToken(byte): state = .trailerName
        case (.trailerName, _) where Self.isToken(byte): break
        case (.trailerName, UInt8(ascii: ":")): state = .trailerValue
        case (.trailerValue, Self.carriageReturn): state = .trailerLineFeed
        case (.trailerValue, _) where Self.isText(byte): break
        case (.trailerLineFeed, Self.lineFeed): state = .trailerBegins
        case (.lastLineFeed, Self.lineFeed): state = .complete
        default: throw .malformed
        }
    }

    private mutating func addDigit(_ byte: UInt8) throws(Failure) {
        guard let digit = Self.digit(byte) else { throw .malformed }
        // The size of the chunk before has run down to zero.
        let (product, overflows) = size.multipliedReportingOverflow(by: 16)
        guard !overflows, product <= Int.max - digit else { throw .malformed }
        size = product + digit
        state = .size
    }

    /// What may follow a size, or an extension.
    private mutating func endSize(_ byte: UInt8) throws(Failure) {
        switch byte {
        case Self.space, Self.tab: state = .afterSize
        case UInt8(ascii: ";"): state = .extensionBegins
        case Self.carriageReturn: state = .sizeLineFeed
        default: throw .malformed
        }
    }

    private static let space = UInt8(ascii: " ")
    private static let tab = UInt8(ascii: "\t")
    private static let carriageReturn = UInt8(ascii: "\r")
    private static let lineFeed = UInt8(ascii: "\n")

    private static func digit(_ byte: UInt8) -> Int? { Character(UnicodeScalar(byte)).hexDigitValue }

    /// RFC 9110, section 5.6.2.
    private static func isToken(_ byte: UInt8) -> Bool {
        byte.isAlphanumeric || "!#$%&'*+-.^_`|~".utf8.contains(byte)
    }

    /// Blanks, and what can be seen (RFC 9110, sections 5.5 and 5.6.4).
    private static func isText(_ byte: UInt8) -> Bool { byte == tab || (byte >= space && byte != 0x7f) }
}
