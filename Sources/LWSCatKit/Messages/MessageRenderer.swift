// Messages/: lines, and the messages they stand for.
//
// Holds: the input cut into lines, the forms in which messages are written, and how they are shown. No I/O.
// Used by: Session.
// Uses: Terminal; ArgumentParser, LWSWebSocket.

import ArgumentParser
import LWSWebSocket

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// Makes of a message what is written to the output.
struct MessageRenderer: Sendable {
    let form: MessageForm
    /// Whether text that is JSON is laid out in lines.
    let formatsJSON: Bool
    /// Whether a terminal shows it: then nothing of a message may reach the terminal as a command.
    let isForTerminal: Bool
    let style: Style

    /// More bytes than these of a binary message are not shown on a terminal.
    static let shownBytes = 256

    /// What is written to the output, with the line end where there is to be one.
    func bytes(_ message: WebSocketMessage) -> [UInt8] {
        if isForTerminal { return Array((text(message) + "\n").utf8) }
        let end = [UInt8(ascii: "\n")]
        if let json = json(message) { return json.utf8 + end }
        let bytes =
            switch message {
            case .text(let text): Array(text.utf8)
            case .binary(let bytes): form == .base64 ? Array(Data(bytes).base64EncodedString().utf8) : bytes
            }
        return form == .binary ? bytes : bytes + end
    }

    /// For a terminal, in one or several lines, without a line end behind the last.
    func text(_ message: WebSocketMessage) -> String {
        if let json = json(message) { return json }
        switch message {
        case .text(let text): return shown(text)
        case .binary(let bytes):
            return form == .base64 ? Data(bytes).base64EncodedString() : Self.dump(bytes, style)
        }
    }

    /// The message laid out as JSON, where it is some and that is wanted.
    private func json(_ message: WebSocketMessage) -> String? {
        guard formatsJSON else { return nil }
        let text =
            switch message {
            case .text(let text): text
            case .binary(let bytes): String(validating: bytes, as: UTF8.self)
            }
        return text.flatMap { JSONLayout.format($0) { part, kind in style.json(shown(part), kind) } }
    }

    private func shown(_ text: String) -> String { isForTerminal ? TerminalText.harmless(text) : text }

    /// How many bytes, and the first of them in hexadecimal digits.
    static func dump(_ bytes: [UInt8], _ style: Style) -> String {
        let head = "\(bytes.count) \(bytes.count == 1 ? "byte" : "bytes")"
        guard !bytes.isEmpty else { return style.faint(head) }
        let digits = bytes.prefix(shownBytes).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }
        return style.faint(head + ":") + " " + digits.joined(separator: " ")
            + (bytes.count > shownBytes ? " …" : "")
    }
}

// MARK: - How messages are written in the input and in the output

enum MessageForm: Sendable {
    /// A line is a text message.
    case text
    /// A line is a binary message, byte for byte; what comes is written byte for byte, with nothing between.
    case binary
    /// A line is the Base64 of a binary message; binary messages are written so.
    case base64

    /// The message that a line stands for.
    func message(_ line: [UInt8]) throws(InputProblem) -> WebSocketMessage {
        switch self {
        case .text:
            guard let text = String(validating: line, as: UTF8.self) else { throw .notText }
            return .text(text)
        case .binary: return .binary(line)
        case .base64:
            let digits = line.filter { $0 != UInt8(ascii: "\r") && $0 != UInt8(ascii: " ") }
            guard let data = Data(base64Encoded: Data(digits)) else { throw .notBase64 }
            return .binary(Array(data))
        }
    }
}

// MARK: - The input, cut into lines

/// Takes bytes as they come and gives whole lines, without their ends.
struct LineSplitter {
    /// One line is one message, which is built in memory; a file without line ends is not to take all of it.
    static let longestLine = 256 << 20

    /// Where `false`, there is one line: everything.
    let splits: Bool
    private let limit: Int
    private var pending: [UInt8] = []
    /// How much of `pending` has no line end for sure.
    private var looked = 0

    init(splits: Bool = true, limit: Int = Self.longestLine) {
        self.splits = splits
        self.limit = limit
    }

    /// The lines that are complete with `bytes`.
    mutating func add(_ bytes: [UInt8]) throws(InputProblem) -> [[UInt8]] {
        pending += bytes
        var lines: [[UInt8]] = []
        var start = 0
        if splits {
            var place = looked
            while let end = pending[place...].firstIndex(of: UInt8(ascii: "\n")) {
                lines.append(Array(pending[start..<end]))
                start = end + 1
                place = start
            }
        }
        pending.removeFirst(start)
        looked = pending.count
        guard pending.count <= limit, lines.allSatisfy({ $0.count <= limit }) else { throw .tooLong(limit: limit) }
        return lines
    }

    /// What is left at the end of the input: a last line without its end, or all of it. `nil`: nothing.
    mutating func end() -> [UInt8]? {
        defer {
            pending = []
            looked = 0
        }
        return pending.isEmpty ? nil : pending
    }
}

/// Why something that was read cannot be sent.
enum InputProblem: Error, Equatable, CustomStringConvertible {
    case tooLong(limit: Int)
    case notText
    case notBase64

    var description: String {
        switch self {
        case .tooLong(let limit): "it has more than \(limit >> 20) MiB"
        case .notText: "it is not UTF-8; with --binary it can be sent as it is"
        case .notBase64: "it is not Base64"
        }
    }
}
