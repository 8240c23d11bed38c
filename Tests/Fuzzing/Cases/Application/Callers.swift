// Several callers of one client, who hand the serving of its connection over to each other while frames come in.

import LWSServiceLoop
import LWSWebSocket

/// Which callers there are, and how they come and go. On Linux one that is blocked serves the connection meanwhile, and the
/// next takes over when its call ends.
struct Callers: Sendable {
    private let readers: Int
    private let suspended: Int
    private let writers: Int
    private let measurers: Int
    /// A suspended reader is cancelled once in so many calls; 0: never.
    private let cancelsOnceIn: Int
    /// The client is closed when so many messages have been read.
    private let closesBehind: Int?
    private let closeTimeout: Duration
    /// How long a read or write waits, before the next does.
    let callTimeout: Duration

    private var count: Int { readers + suspended + writers + measurers + (closesBehind == nil ? 0 : 1) }

    static func choose(_ choices: inout Choices) -> Callers {
        let readers = choices.int(0...3)
        return Callers(
            readers: readers, suspended: choices.int(readers == 0 ? 1...2 : 0...2), writers: choices.int(0...2),
            measurers: choices.int(0...1), cancelsOnceIn: choices.pick([0, 0, 2, 5]),
            closesBehind: choices.once(in: 3) ? choices.int(0...4) : nil,
            closeTimeout: choices.pick([.zero, .milliseconds(5), .seconds(10)]),
            callTimeout: choices.pick([.milliseconds(1), .milliseconds(4), .milliseconds(20), .seconds(30)]))
    }

    /// Frames of any kind, right or wrong, in pieces that come while callers come and go.
    static func play(_ choices: inout Choices) -> Play {
        var play =
            switch choices.int(0...5) {
            case 0: CompressedStreams.play(&choices)
            case 1: ClosePayloads.play(&choices)
            case 2: PingBursts.play(&choices)
            default: FrameSequence.play(&choices)
            }
        play.pause = choices.pick([.zero, .milliseconds(1), .milliseconds(2)])
        // Behind a close of the client none comes.
        play.awaitedPong = nil
        // Somebody has to end it.
        if play.ending.isHold { play.ending = .finish }
        return play
    }

    /// Lets all of them work until the connection ends.
    /// - Returns: what is wrong; `nil` where nothing is.
    func work(on client: WebSocketClient, _ play: Play, _ choices: Choices) -> String? {
        let work = CallersAtWork(client)
        do {
            for _ in 0..<readers { try work.start("reader") { $0.read() } }
            for _ in 0..<writers { try work.start("writer") { $0.write() } }
            for _ in 0..<measurers { try work.start("pinger") { $0.measure() } }
            if let closesBehind {
                try work.start("closer") { $0.close(behind: closesBehind, closeTimeout) }
            }
        } catch {
            return "there is no thread for a caller: \(error)"
        }
        var choices = choices
        for _ in 0..<suspended {
            _ = choices.next()
            Task { [choices, cancelsOnceIn] in await work.receive(cancelling: cancelsOnceIn, choices) }
        }
        guard work.wait(for: count) else { return "a caller does not come back" }
        return fault(in: work, play)
    }

    private func fault(in work: CallersAtWork, _ play: Play) -> String? {
        var codes = play.expectation.codes.union([.connectionClosure, .writeTimedOut])
        if play.ending.isReset { codes.insert(.connection) }
        if let error = work.errors.first(where: { !codes.contains($0.code) }) {
            return "\(error.code) is not expected: \(error) \(error.libraryDetail ?? "")"
        }
        guard let expected = play.expectation.messages else { return nil }
        var left = expected
        for messages in work.messages {
            for message in messages {
                if let index = left.firstIndex(of: message) {
                    left.remove(at: index)
                } else if play.expectation.isComplete {
                    return "a reader has a message that nobody sent, or that another has, too"
                }
            }
            // Where there may be others, one of those may say the same; and what a task gives back that was cancelled comes
            // to another who has read what came behind it.
            let isOrdered =
                play.expectation.isComplete && (cancelsOnceIn == 0 || suspended == 0 || readers + suspended == 1)
            guard !isOrdered || messages.isSubsequence(of: expected) else {
                return "the messages of a reader come out of order"
            }
        }
        let isWhole = closesBehind == nil && !play.ending.isReset
        return isWhole && !left.isEmpty ? "\(left.count) of \(expected.count) messages were lost" : nil
    }
}

extension Array where Element: Equatable {
    fileprivate func isSubsequence(of other: [Element]) -> Bool {
        var rest = other[...]
        return allSatisfy { element in
            guard let place = rest.firstIndex(of: element) else { return false }
            rest = rest[(place + 1)...]
            return true
        }
    }
}
