// Messages from a pipe or a file, or from the command line.

import LWSWebSocket

/// Sends what the input has, one line one message, until its end.
struct PipeInput: Sendable {
    let client: WebSocketClient
    let ends: SessionEnds
    let form: MessageForm
    /// Whether each line is a message, or the whole input is one.
    let splitsLines: Bool

    /// Sends these messages, and nothing else.
    func send(_ texts: [String]) {
        let lines = texts.map { Array($0.utf8) }
        finish { () throws(Problem) in try send(lines, first: 1) }
    }

    /// Sends what standard input has.
    func run() {
        finish { () throws(Problem) in
            var splitter = LineSplitter(splits: splitsLines)
            var number = 1
            while true {
                let bytes = Descriptor.input.read()
                var lines: [[UInt8]]
                do throws(InputProblem) { lines = try splitter.add(bytes) } catch {
                    throw .input(error, line: number)
                }
                if bytes.isEmpty, let rest = splitter.end() { lines.append(rest) }
                let count = lines.count
                try send(lines, first: number)
                number += count
                if bytes.isEmpty { return }
            }
        }
    }

    private enum Problem: Error {
        case input(InputProblem, line: Int)
        case client(WebSocketError)
    }

    /// Reports how it ended.
    private func finish(_ work: () throws(Problem) -> Void) {
        do throws(Problem) {
            try work()
            ends.report(.inputOver)
        } catch {
            switch error {
            case .input(let problem, let line):
                let place = splitsLines ? "line \(line) of the input" : "the input"
                ends.report(.inputFailed("\(place) cannot be sent: \(problem)"))
            case .client(let error):
                // The connection's end is for the reader to report, who sees first what came before it.
                if error.code != .connectionClosure { ends.report(.failed(error)) }
            }
        }
    }

    /// Those before the first that cannot be sent go out.
    private func send(_ lines: [[UInt8]], first: Int) throws(Problem) {
        var messages: [WebSocketMessage] = []
        var problem: Problem?
        for (index, line) in lines.enumerated() {
            do throws(InputProblem) { messages.append(try form.message(line)) } catch {
                problem = .input(error, line: first + index)
                break
            }
        }
        do throws(WebSocketError) { try client.writeMessages(messages) } catch { throw .client(error) }
        if let problem { throw problem }
    }
}
