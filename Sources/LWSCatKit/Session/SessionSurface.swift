// Where a session takes place: a terminal with a line to type in, or streams.

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

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
