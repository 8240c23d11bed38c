// What a scripted server sends in one case, and what the client has to make of it.

import TestSupport

/// One case on the wire. What it sends may depend on the client's request, so it is made when that is there.
package struct Play: Sendable {
    /// The bytes that follow the client's request.
    var answer: @Sendable (_ request: String) -> [UInt8]
    var chunks = Chunks.whole
    var ending = Ending.finish
    var expectation = Expectation()
    /// It is about the handshake, and not about what follows.
    var isHandshake = false

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

    /// At most so many writes: the rest goes in one.
    private static let mostChunks = 400

    func send(on peer: RawConnection, _ request: String) {
        var rest = answer(request)[...]
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
            guard peer.send(Array(rest.prefix(size))) else { return }
            rest = rest.dropFirst(size)
        }
        switch ending {
        case .finish:
            peer.endOutput()
            peer.waitForEnd()
        case .reset: peer.reset()
        case .hold: peer.waitForEnd()
        }
    }

    /// The answer that a WebSocket server gives.
    static func upgrade(_ request: String, _ lines: [String] = []) -> String {
        let key = RawConnection.field("Sec-WebSocket-Key", in: request) ?? ""
        let all =
            [
                "HTTP/1.1 101 Switching Protocols", "Upgrade: websocket", "Connection: Upgrade",
                "Sec-WebSocket-Accept: \(RawConnection.accept(for: key))",
            ] + lines
        return all.joined(separator: "\r\n") + "\r\n\r\n"
    }
}
