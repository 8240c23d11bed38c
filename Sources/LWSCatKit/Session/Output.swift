// Where a session shows what it receives and what happens.

import LWSWebSocket

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

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

// MARK: - Where a session takes place: a terminal with a line to type in, or streams

/// The output that suits the process's standard descriptors.
struct SessionSurface: Sendable {
    let output: any Output
    /// Where somebody types; `nil`: nobody does.
    let screen: Screen?

    init(_ settings: SessionSettings) {
        let environment = ProcessInfo.processInfo.environment
        let isTerminal = Descriptor.output.isTerminal
        let style = Style(for: .output, isWanted: settings.isColourWanted, environment: environment)
        let renderer = MessageRenderer(
            form: settings.form, formatsJSON: settings.formatsJSON, isForTerminal: isTerminal, style: style)
        // Without a cursor that moves, lines are edited as far as the system's own line discipline goes.
        let canEdit = environment["TERM"].map { !$0.isEmpty && $0 != "dumb" } ?? false
        guard settings.messages.isEmpty, settings.splitsLines, canEdit, isTerminal, Descriptor.input.isTerminal
        else {
            screen = nil
            output = StreamOutput(
                renderer: renderer,
                style: Style(for: .errors, isWanted: settings.isColourWanted, environment: environment))
            return
        }
        let screen = Screen(.output, style)
        self.screen = screen
        output = ScreenOutput(screen: screen, renderer: renderer)
    }
}
