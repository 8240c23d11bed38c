// What a scripted server sends in one case, and what the client has to make of it.

import LWSServiceLoop
import TestSupport

/// One case on the wire. What it sends may depend on the client's request, so it is made when that is there.
package struct Play: Sendable {
    /// The bytes that follow the client's request.
    var answer: @Sendable (_ request: String) -> [UInt8]
    var chunks = Chunks.whole
    /// Between two of them, in which callers come and go.
    var pause = Duration.zero
    var ending = Ending.finish
    var expectation = Expectation()
    /// It is about the handshake, and not about what follows.
    var isHandshake = false
    /// The pings that are sent, where they are known.
    var pings: [[UInt8]]?
    /// The connection does not end before a pong with this payload has come.
    var awaitedPong: [UInt8]?
    /// What the client sends behind its request are frames.
    var seesFrames = true
    /// Takes the place of all that: talks to the client, and tells what is wrong with what came from there.
    var dialogue: (@Sendable (RawConnection, _ request: String) -> String?)?

    init(_ answer: @escaping @Sendable (_ request: String) -> [UInt8]) { self.answer = answer }

    /// How the bytes are cut.
    enum Chunks: Sendable {
        case whole
        case every(Int)
        case random(Choices)

        static func choose(_ choices: inout Choices) -> Chunks {
            switch choices.int(0...3) {
            case 0: .whole
            case 1: .every(choices.int(1...16))
            case 2: .every(choices.int(1...5000))
            default: .random(choices)
            }
        }
    }

    /// How the connection ends when all is sent.
    package enum Ending: Sendable {
        /// With a FIN; everything has to arrive.
        case finish
        /// With a reset, which may throw away what has not been read.
        case reset
        /// Not at all: the client's time limit does.
        case hold

        static func choose(_ choices: inout Choices) -> Ending {
            let number = choices.int(0...255)
            return number == 255 ? .hold : number > 223 ? .reset : .finish
        }
    }

    // MARK: - On the wire

    /// At most so many writes: the rest goes in one.
    private static let mostChunks = 400

    /// Plays the case to its end.
    /// - Returns: what is wrong with what the client has sent; `nil` where nothing is.
    func serve(_ peer: RawConnection, _ request: String) -> String? {
        if let dialogue { return dialogue(peer, request) }
        let bytes = answer(request)
        var seen: [RawFrame] = []
        if send(bytes, on: peer) {
            while let awaitedPong, seen.last?.opcode != 10 || seen.last?.payload != awaitedPong {
                guard let frame = try? peer.readFrame() else {
                    return "of \(pings?.count ?? 0) pings, the one that has to be answered is not"
                }
                seen.append(frame)
            }
            switch ending {
            case .finish: peer.endOutput()
            case .reset: peer.reset()
            case .hold: break
            }
        }
        let rest = peer.readUntilEnd()
        guard seesFrames else { return nil }
        let mayCompress = String(decoding: bytes, as: UTF8.self).contains("permessage-deflate")
        return ClientFrames(seen, rest, mayCompress: mayCompress).fault(pings: pings)
    }

    /// Returns false where the client was gone before all was sent.
    private func send(_ bytes: [UInt8], on peer: RawConnection) -> Bool {
        var rest = bytes[...]
        var count = 0
        var random = Choices(bytes: [])
        if case .random(let choices) = chunks { random = choices }
        while !rest.isEmpty {
            count += 1
            let size =
                switch chunks {
                case _ where count > Self.mostChunks: rest.count
                case .whole: rest.count
                case .every(let size): min(size, rest.count)
                case .random: min(1 + random.size(upTo: 5000), rest.count)
                }
            if pause > .zero, count > 1, count < 50 {
                _ = MonotonicSemaphore().wait(until: Deadline(after: pause))
            }
            guard peer.send(Array(rest.prefix(size))) else { return false }
            rest = rest.dropFirst(size)
        }
        return true
    }

    /// The answer that a WebSocket server gives.
    /// - Parameters:
    ///   - first: lines that come before those of the upgrade.
    static func upgrade(_ request: String, _ lines: [String] = [], first: [String] = []) -> String {
        let key = RawConnection.field("Sec-WebSocket-Key", in: request) ?? ""
        let all =
            ["HTTP/1.1 101 Switching Protocols"] + first
            + [
                "Upgrade: websocket", "Connection: Upgrade",
                "Sec-WebSocket-Accept: \(RawConnection.accept(for: key))",
            ]
            + lines
        return all.joined(separator: "\r\n") + "\r\n\r\n"
    }
}

extension Play {
    /// An answer that opens the connection, with frames right behind it.
    static func opening(_ frames: [UInt8], _ lines: [String] = []) -> Play {
        Play { Array(upgrade($0, lines).utf8) + frames }
    }
}
