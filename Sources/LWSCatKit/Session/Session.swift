// Session/: one connection and its two ends.
//
// Holds: connecting, the input by pipe or terminal, the output, and how it all ends, with the exit code.
// Used by: Command, Bench, Options.
// Uses: Messages, Terminal; HTTPTypes, Logging, LWSServiceLoop, LWSWebSocket.

import LWSServiceLoop
import LWSWebSocket
import Logging

/// One connection with a terminal or a pipe at this end of it.
struct Session: Sendable {
    private let client: WebSocketClient
    private let settings: SessionSettings
    private let output: any Output
    /// Where somebody types; `nil`: nobody does.
    private let screen: Screen?
    private let terminal: RawMode
    private let closer: Closer
    private let ends = SessionEnds()
    private let receiver: Receiver
    private let hasOpened = Locked(false)
    private let isInterrupted = Locked(false)

    /// Checks the URL and the configuration; nothing is sent yet.
    init(
        _ url: String, _ configuration: ClientConfiguration, _ settings: SessionSettings, _ surface: SessionSurface
    ) throws(Failure) {
        self.settings = settings
        output = surface.output
        screen = surface.screen
        terminal = RawMode(.input)
        var configuration = configuration
        if let level = settings.logLevel {
            configuration.logger = SessionLog.logger(surface.output, from: level)
            configuration.loggedPayloadBytes = settings.loggedPayload ?? configuration.loggedPayloadBytes
        }
        if settings.isVerbose { SessionNotes.follow(&configuration, surface.output) }
        do throws(WebSocketError) {
            client = try WebSocketClient(unconnected: url, configuration: configuration)
        } catch {
            throw Failure(connecting: error)
        }
        closer = Closer(client)
        receiver = Receiver(client, closer, output, ends, limit: settings.count)
    }

    /// From connecting to the end. Blocks.
    func run() throws(Failure) -> ExitStatus {
        let watch = SignalWatch(isInteractive: screen != nil)
        try watch.start { [screen] in
            screen?.redraw()
        } interrupted: {
            isInterrupted.withLock { $0 = true }
            _ = try? closer.close(timeout: SignalWatch.patience)
            ends.report(.interrupted)
        } leave: {
            // Not the screen, which may be what holds up the others.
            terminal.leave()
            (hasOpened.withLock { $0 } ? ExitStatus.closedNormally : .cannotConnect).leave()
        }
        try connect()
        defer { restoreTerminal() }
        try startThreads()
        return try finish(after: follow())
    }

    private func connect() throws(Failure) {
        do throws(WebSocketError) {
            try client.connect()
        } catch {
            guard !isInterrupted.withLock({ $0 }) else { ExitStatus.cannotConnect.leave() }
            if settings.isVerbose { SessionNotes.refusal(error, output) }
            throw Failure(connecting: error)
        }
        hasOpened.withLock { $0 = true }
        if settings.isVerbose { SessionNotes.opened(client, output) }
    }

    private func startThreads() throws(Failure) {
        do throws(LoopError) {
            try LoopThread(name: "lwscat-receive") { [receiver] in receiver.run() }.detach()
            if let screen, terminal.enter() {
                let input = InteractiveInput(
                    client: client, closer: closer, ends: ends, form: settings.form, terminal: terminal,
                    screen: screen, output: output, hasCommands: settings.hasCommands,
                    closeTimeout: settings.closeTimeout)
                try LoopThread(name: "lwscat-input") { input.run() }.detach()
            } else {
                let input = PipeInput(
                    client: client, ends: ends, form: settings.form, splitsLines: settings.splitsLines)
                try LoopThread(name: "lwscat-input") { [messages = settings.messages] in
                    if messages.isEmpty { input.run() } else { input.send(messages) }
                }.detach()
            }
        } catch {
            throw Failure(.closedAbnormally, error.description)
        }
    }

    private func restoreTerminal() {
        screen?.end()
        terminal.leave()
    }

    // MARK: - Until the end

    /// Waits for what ends the session.
    private func follow() -> SessionEnd {
        while true {
            // `next` gives up at a deadline alone.
            guard let end = ends.next() else { continue }
            guard case .inputOver = end else { return end }
            if screen != nil { return .closed }
            // For as many messages as are asked for, or until the peer closes.
            if settings.count != nil { continue }
            guard let wait = settings.wait else { continue }
            return wait == .zero ? .inputOver : settle(wait)
        }
    }

    /// Everything is sent. Waits until the peer has seen it, and until nothing has come for some time: a server that is told
    /// to close may give up what it has not sent yet.
    private func settle(_ wait: Duration) -> SessionEnd {
        var quietSince = ContinuousClock.now
        while client.isOpen {
            do throws(WebSocketError) {
                // Behind it in the stream comes nothing of ours: its answer shows that the peer has read it all.
                _ = try client.roundTripTime(timeout: .seconds(2))
                quietSince = .now
            } catch {
                // A peer that sends a lot has the pong wait behind that.
                let isBusy = receiver.lastArrival.map { $0 > quietSince } ?? true
                if error.code == .readTimedOut, isBusy {
                    quietSince = .now
                    continue
                }
            }
            break
        }
        while true {
            quietSince = max(quietSince, receiver.lastArrival ?? .now)
            let deadline = Deadline(after: max(.zero, quietSince + wait - .now))
            if let end = ends.next(until: deadline) { return end }
            if (receiver.lastArrival ?? .now) <= quietSince { return .inputOver }
        }
    }

    // MARK: - The end

    private func finish(after end: SessionEnd) throws(Failure) -> ExitStatus {
        switch end {
        case .failed(let error) where !closer.hasBegun: return try finish(afterFailure: error)
        case .interrupted:
            return .closedNormally
        case .failed:
            // The read that this side's own close has ended.
            closer.wait(atMost: settings.closeTimeout)
            tellClose()
            return .closedNormally
        case .receivedEnough, .outputGone:
            let isAnswered = close()
            tellClose()
            return try isAnswered ? .closedNormally : unanswered()
        case .inputOver, .closed:
            let isAnswered = close()
            // The peer may have been faster.
            if let error = awaitReceiver(), error.closure?.initiator == .peer {
                return try finish(afterFailure: error)
            }
            tellClose()
            return try isAnswered ? .closedNormally : unanswered()
        case .inputFailed(let words):
            close()
            _ = awaitReceiver()
            tellClose()
            throw Failure(.usage, words)
        }
    }

    private func finish(afterFailure error: WebSocketError) throws(Failure) -> ExitStatus {
        let status = ExitStatus(afterOpening: error)
        // A time limit leaves the connection open.
        if client.isOpen { close() }
        restoreTerminal()
        guard status == .closedNormally else { throw Failure(status, error.description) }
        tellClose()
        return status
    }

    @discardableResult
    private func close() -> Bool { (try? closer.close(timeout: settings.closeTimeout)) ?? false }

    private func unanswered() throws(Failure) -> ExitStatus {
        guard !isInterrupted.withLock({ $0 }) else { return .closedNormally }
        throw Failure(
            .closedAbnormally, "the server did not answer the close frame within \(settings.closeTimeout)")
    }

    /// Until what arrived before the end is shown. Returns what ended the reading, where that was the connection's end.
    private func awaitReceiver() -> WebSocketError? {
        while let end = ends.next() {
            switch end {
            case .failed(let error): return error
            case .receivedEnough, .outputGone, .interrupted: return nil
            case .inputOver, .inputFailed, .closed: break
            }
        }
        return nil
    }

    private func tellClose() {
        guard settings.isVerbose else { return }
        restoreTerminal()
        SessionNotes.closed(client, output)
    }
}

// MARK: - What a session is to do, apart from how it connects

/// What the options of `lwscat URL` say.
struct SessionSettings: Sendable {
    var form = MessageForm.text
    var formatsJSON = false
    /// Whether what happens is told: the handshake, control frames, the close.
    var isVerbose = false
    /// From where on the library's log is shown; `nil`: not at all.
    var logLevel: Logger.Level?
    var loggedPayload: Int?
    var isColourWanted = true
    /// Messages to send in place of the input.
    var messages: [String] = []
    /// Whether each line of the input is a message, or all of it is one.
    var splitsLines = true
    var hasCommands = false
    /// How many received messages are enough; `nil`: none are.
    var count: Int?
    /// How long nothing may come after the end of the input, until the connection is closed. `nil`: it stays open.
    var wait: Duration? = .milliseconds(500)
    /// How long the peer has to answer the close frame.
    var closeTimeout = Duration.seconds(5)
}
