// Messages/: lines, and the messages they stand for.
//
// Holds: the input cut into lines, the forms in which messages are written, and how they are shown. No I/O.
// Used by: Session.
// Uses: Terminal; ArgumentParser, LWSWebSocket.

// Messages as they are shown.

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
