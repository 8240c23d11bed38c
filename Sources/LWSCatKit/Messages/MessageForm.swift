// How messages are written in the input and in the output.

import ArgumentParser
import LWSWebSocket

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

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
