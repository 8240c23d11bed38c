// What members say to each other.

import LWSWebSocket

/// One line of the chat; it travels as JSON in a text message.
struct ChatMessage: Codable, Sendable, Validatable {
    var name: String
    var text: String

    static let constraints: [Constraint<ChatMessage>] = [
        .field("name", \.name, .minLength(1), .maxLength(20)),
        .field("text", \.text, .minLength(1), .maxLength(500)),
    ]
}
