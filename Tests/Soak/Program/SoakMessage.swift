// The messages of a soak.

import LWSWebSocket
import TestSupport

/// A message that says whose it is and which; the rest follows from that.
enum SoakMessage {
    /// The same for the same client and number. Most are small, one in 64 has 100 KB to 300 KB.
    static func make(_ client: Int, _ number: Int) -> WebSocketMessage {
        var random = SeededGenerator(seed: UInt64(client) << 40 | UInt64(number))
        let size =
            random.number(below: 64) == 0 ? 100_000 + random.number(below: 200_000) : random.number(below: 2000)
        let head = "\(client) \(number) "
        guard number % 2 == 0 else {
            // Compresses well.
            let words = ["price ", "volume ", "grüße ", "漢字 ", "\(random.next()) "]
            var text = head
            while text.utf8.count < size { text += words[random.number(below: words.count)] }
            return .text(text)
        }
        var bytes = Array(head.utf8)
        while bytes.count < size { withUnsafeBytes(of: random.next()) { bytes += $0 } }
        return .binary(bytes)
    }

    /// Whose it is, and which.
    static func read(_ message: WebSocketMessage) -> (client: Int, number: Int)? {
        let bytes: [UInt8] =
            switch message {
            case .text(let text): Array(text.utf8.prefix(40))
            case .binary(let bytes): Array(bytes.prefix(40))
            }
        let parts = bytes.split(separator: UInt8(ascii: " "), maxSplits: 2, omittingEmptySubsequences: false)
        guard parts.count == 3, let client = Int(String(decoding: parts[0], as: UTF8.self)),
            let number = Int(String(decoding: parts[1], as: UTF8.self))
        else { return nil }
        return (client, number)
    }

    static func size(_ message: WebSocketMessage) -> Int {
        switch message {
        case .text(let text): text.utf8.count
        case .binary(let bytes): bytes.count
        }
    }
}
