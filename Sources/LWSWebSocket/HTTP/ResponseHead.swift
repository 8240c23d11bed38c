// HTTP/: HTTP/1.1, as far as the client reads and writes it by itself.
//
// Holds: heads and bodies of answers, read from bytes however they are cut, and the fields of requests. No I/O.
// Used by: Reconnecting, Configuration, Auth, Session, Connection.
// Uses: Errors; HTTPTypes, LWSServiceLoop.

internal import HTTPTypes

/// Status and header fields of an answer (RFC 9112, sections 4 and 5), all of them, in order.
///
/// An open connection keeps it, and few ask for it: its bytes take a third of the room of what they say.
struct ResponseHead: Sendable, Equatable {
    let status: Int
    /// With the empty line at the end.
    private let bytes: [UInt8]

    var length: Int { bytes.count }

    enum Reading: Equatable {
        /// The end is still to come.
        /// - Parameter status: where that much is there.
        case incomplete(status: Int?)
        case complete(ResponseHead)
        /// This is no HTTP/1.
        case invalid
    }

    var response: HTTPResponse {
        HTTPResponse(status: .init(code: status), headerFields: HTTPFields(fields))
    }

    /// An answer before the one that counts (RFC 9110, section 15.2). 101 is none: it ends HTTP on the connection.
    static func isInterim(_ status: Int) -> Bool { (100..<200).contains(status) && status != 101 }

    static func read(_ bytes: some Collection<UInt8>) -> Reading {
        let bytes = Array(bytes)
        guard zip(bytes, "HTTP/1.".utf8).allSatisfy(==), bytes.count < 9 || bytes[8] == space else { return .invalid }
        let digits = bytes.dropFirst(9).prefix(3)
        guard digits.allSatisfy({ (zero...zero + 9).contains($0) }) else { return .invalid }
        guard digits.count == 3 else { return .incomplete(status: nil) }
        let status = digits.reduce(0) { $0 * 10 + Int($1 - zero) }
        guard (100...999).contains(status), bytes.count < 13 || [space, carriageReturn, lineFeed].contains(bytes[12])
        else { return .invalid }
        guard let length = length(of: bytes) else { return .incomplete(status: status) }
        return .complete(ResponseHead(status: status, bytes: Array(bytes[..<length])))
    }

    private static let space = UInt8(ascii: " ")
    private static let tab = UInt8(ascii: "\t")
    private static let zero = UInt8(ascii: "0")
    private static let carriageReturn = UInt8(ascii: "\r")
    private static let lineFeed = UInt8(ascii: "\n")

    /// Where the body begins. A line may end in a line feed alone (RFC 9112, section 2.2), as lws takes it.
    private static func length(of bytes: [UInt8]) -> Int? {
        var isLineEmpty = false
        for (index, byte) in bytes.enumerated() {
            switch byte {
            case lineFeed where isLineEmpty: return index + 1
            case lineFeed: isLineEmpty = true
            case carriageReturn: break
            default: isLineEmpty = false
            }
        }
        return nil
    }

    var fields: [HTTPField] {
        var lines: [[UInt8]] = []
        for line in bytes.split(separator: Self.lineFeed).dropFirst() {
            let content = line.last == Self.carriageReturn ? line.dropLast() : line
            if let first = content.first, first == Self.space || first == Self.tab, !lines.isEmpty {
                // A folded line belongs to the one before (section 5.2).
                lines[lines.count - 1] += [Self.space] + content.drop { $0 == Self.space || $0 == Self.tab }
            } else {
                lines.append(Array(content))
            }
        }
        return lines.compactMap { line in
            guard let colon = line.firstIndex(of: UInt8(ascii: ":")),
                let name = HTTPField.Name(String(decoding: line[..<colon], as: UTF8.self))
            else { return nil }
            let value = String(decoding: line[(colon + 1)...], as: UTF8.self)
            return HTTPField(name: name, value: value[...].trimmingBlanks)
        }
    }
}
