// Where a session shows what it receives and what happens.

import LWSWebSocket

/// What a session has to show. Any thread.
protocol Output: Sendable {
    /// A message that was received. Returns false where nobody reads the output any more.
    func show(_ message: WebSocketMessage) -> Bool
    /// Something that happened, for those who want to know.
    func note(_ text: String)
    /// Something that went wrong and that the session survives.
    func complain(_ text: String)
}

/// Messages to standard output, everything else to standard error.
struct StreamOutput: Output {
    let renderer: MessageRenderer
    /// The style of standard error.
    let style: Style

    func show(_ message: WebSocketMessage) -> Bool { Descriptor.output.write(renderer.bytes(message)) }

    func note(_ text: String) {
        Descriptor.errors.write(style.faint("* " + TerminalText.harmless(text)) + "\n")
    }

    func complain(_ text: String) {
        Descriptor.errors.write(style.failure("lwscat: " + TerminalText.harmless(text)) + "\n")
    }
}

/// Everything above the line that is being typed.
struct ScreenOutput: Output {
    let screen: Screen
    let renderer: MessageRenderer

    func show(_ message: WebSocketMessage) -> Bool {
        screen.print(renderer.text(message), mark: renderer.style.received("<"))
    }

    func note(_ text: String) {
        screen.print(renderer.style.faint(TerminalText.harmless(text)), mark: renderer.style.faint("*"))
    }

    func complain(_ text: String) {
        screen.print(renderer.style.failure(TerminalText.harmless(text)), mark: renderer.style.failure("!"))
    }
}
