// Messages that somebody types.

import LWSWebSocket

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// Edits lines in a terminal and sends them, until Ctrl-D, Ctrl-C or the terminal's end.
struct InteractiveInput: Sendable {
    let client: WebSocketClient
    let closer: Closer
    let ends: SessionEnds
    let form: MessageForm
    let terminal: RawMode
    let screen: Screen
    let output: any Output
    /// Whether lines that begin with a slash are commands.
    let hasCommands: Bool
    let closeTimeout: Duration

    func run() {
        var editor = LineEditor()
        screen.show(editor.line)
        while true {
            let bytes = Descriptor.input.read()
            guard !bytes.isEmpty else { return ends.report(.inputOver) }
            for action in editor.add(bytes) {
                switch action {
                case .enter(let text):
                    screen.enter(text)
                    send(text)
                case .endOfInput: return ends.report(.inputOver)
                case .interrupt: return SignalWatch.interrupt()
                case .clearScreen: screen.redraw(clearing: true)
                case .suspend: suspend()
                }
            }
            screen.show(editor.line)
        }
    }

    private func send(_ line: String) {
        guard !line.isEmpty else { return }
        do throws(WebSocketError) {
            switch hasCommands ? SlashCommand(line) : nil {
            case .ping(let payload): try client.ping(Array(payload.utf8))
            case .pong(let payload): try client.pong(Array(payload.utf8))
            case .close(let code, let reason):
                try closer.close(statusCode: code, reason: reason, timeout: closeTimeout)
                ends.report(.closed)
            case .unknown(let words): output.complain(words)
            case .text(let text): try sendMessage(text)
            case nil: try sendMessage(line)
            }
        } catch {
            // The connection's end is for the reader to report.
            if client.isOpen { output.complain(error.description) }
        }
    }

    private func sendMessage(_ text: String) throws(WebSocketError) {
        let message: WebSocketMessage
        do throws(InputProblem) { message = try form.message(Array(text.utf8)) } catch {
            return output.complain("not sent: \(error)")
        }
        try client.writeMessage(message)
    }

    /// As Ctrl-Z does. Raw mode keeps the terminal from making a signal of it, and would be what the shell finds.
    private func suspend() {
        terminal.leave()
        // To this thread, which does not go on then before the process does.
        pthread_kill(pthread_self(), SIGSTOP)
        terminal.enter()
        screen.redraw()
    }
}

// MARK: - Control frames, as they are typed with --slash

/// What a line that begins with a slash asks for.
enum SlashCommand: Equatable {
    case ping(String)
    case pong(String)
    case close(code: Int, reason: String?)
    /// Two slashes at the beginning are one, and no command.
    case text(String)
    case unknown(String)

    /// `nil`: the line is no command but a message.
    init?(_ line: String) {
        guard line.hasPrefix("/") else { return nil }
        guard !line.hasPrefix("//") else {
            self = .text(String(line.dropFirst()))
            return
        }
        let parts = line.dropFirst().split(separator: " ", maxSplits: 1)
        let rest = parts.count > 1 ? String(parts[1]) : ""
        switch parts.first {
        case "ping": self = .ping(rest)
        case "pong": self = .pong(rest)
        case "close":
            let words = rest.split(separator: " ", maxSplits: 1)
            guard let code = words.first.map({ Int($0) }) ?? 1000 else {
                self = .unknown("the code of /close is a number")
                return
            }
            self = .close(code: code, reason: words.count > 1 ? String(words[1]) : nil)
        default: self = .unknown("there are /ping, /pong and /close; // sends a slash")
        }
    }
}
