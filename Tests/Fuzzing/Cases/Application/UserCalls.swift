// Calls with every kind of argument, on a connection whose server echoes.

import LWSWebSocket

/// What an application writes, and what has to come of it.
struct UserCalls {
    private let client: WebSocketClient
    private let maxFrameSize: Int
    private let maxMessageSize: Int

    init(_ client: WebSocketClient, _ settings: UserSettings) {
        self.client = client
        maxFrameSize = settings.largestFrame
        maxMessageSize = settings.configuration.maxMessageSize ?? .max
    }

    /// - Returns: what is wrong; `nil` where nothing is.
    func make(_ choices: inout Choices) -> String? {
        for _ in 0..<choices.int(1...6) {
            let step = choices.int(0...9)
            do throws(WebSocketError) {
                switch step {
                case 0: if let fault = try control(&choices) { return fault }
                case 1: return try close(&choices)
                default: if let fault = try echo(&choices) { return fault }
                }
            } catch {
                return "\(error.code) is not expected: \(error) \(error.libraryDetail ?? "")"
            }
            guard client.isOpen else { return nil }
        }
        return nil
    }

    private static let sizes = [0, 1, 2, 124, 125, 126, 127, 1000, 4096, 65535, 65536, 65537, 70_000, 131_072]

    private func echo(_ choices: inout Choices) throws(WebSocketError) -> String? {
        // Small frames in small numbers, and no more unread than is taken.
        let count = min(choices.pick(Self.sizes), maxFrameSize < 100 ? 1000 : .max)
        let messages = (0..<(count > 10_000 ? 1 : choices.pick([1, 1, 3, 20]))).map { _ in message(count, &choices) }
        let isTooLarge = messages.contains { $0.payload.count > maxMessageSize }
        do throws(WebSocketError) {
            if messages.count > 1 {
                try client.writeMessages(messages)
            } else {
                try client.writeMessage(messages[0])
            }
            for message in messages {
                if case .binary = message, choices.once(in: 8), !isTooLarge {
                    if let fault = try readWrongKind() { return fault }
                }
                guard try client.readMessage() == message else {
                    return "\(message.payload.count) bytes came back as others"
                }
                guard message.payload.count <= maxMessageSize else {
                    return "\(message.payload.count) bytes, where \(maxMessageSize) are taken"
                }
            }
        } catch {
            // A write behind that message may see the end of the connection first.
            guard isTooLarge, [.payloadTooLarge, .connectionClosure].contains(error.code) else { throw error }
        }
        return nil
    }

    private func message(_ count: Int, _ choices: inout Choices) -> WebSocketMessage {
        switch choices.int(0...3) {
        case 0: .text(choices.text(count))
        case 1: .text(String(repeating: "ä", count: count / 2))
        default: .binary(choices.bytes(count))
        }
    }

    /// The message stays first in line.
    private func readWrongKind() throws(WebSocketError) -> String? {
        do throws(WebSocketError) {
            return "\(try client.readTextMessage().utf8.count) binary bytes were read as a text"
        } catch {
            guard error.code == .unexpectedMessageKind else { throw error }
            return nil
        }
    }

    private func control(_ choices: inout Choices) throws(WebSocketError) -> String? {
        let payload = choices.bytes(choices.pick([0, 1, 124, 125, 126, 127, 1000]))
        do throws(WebSocketError) {
            if choices.once(in: 2) { try client.ping(payload) } else { try client.pong(payload) }
            return payload.count <= 125 ? nil : "a control frame of \(payload.count) bytes was taken"
        } catch {
            guard error.code == .invalidArgument, payload.count > 125 else { throw error }
            return nil
        }
    }

    private func close(_ choices: inout Choices) throws(WebSocketError) -> String? {
        let code = choices.pick([
            1000, 1001, 1003, 1004, 1005, 1006, 1011, 1012, 1015, 2999, 3000, 4999, 5000, -1, 0, .max, .min,
        ])
        let reason =
            choices.once(in: 4)
            ? nil
            : choices.once(in: 2)
                ? choices.text(choices.int(0...60)) : String(repeating: "r", count: choices.int(120...126))
        let isLegal =
            CloseCodes.areSent.contains { $0.contains(code) } && (reason?.utf8.count ?? 0) <= 123
        do throws(WebSocketError) {
            try client.close(statusCode: code, reason: reason)
        } catch {
            guard error.code == .invalidArgument, !isLegal else { throw error }
            return nil
        }
        guard isLegal else { return "a close with \(code) and \(reason?.utf8.count ?? 0) bytes was taken" }
        guard client.closure?.code == code, client.closure?.reason == reason ?? "" else {
            return "closed with \(code), \(reason ?? "no reason"): \(String(describing: client.closure))"
        }
        return nil
    }
}
