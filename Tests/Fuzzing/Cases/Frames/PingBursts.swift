// Many pings at once, among messages.

enum PingBursts {
    /// Of more than this in one read, not each has a pong, nor has the last one.
    private static let mostAnswered = 1024
    private static let sizes = [1, 2, 3, 5, 10, 20, 40, 40, 100, 100, 300, 1030, 2500]

    static func play(_ choices: inout Choices) -> Play {
        var sequence = FrameSequence()
        for _ in 0..<choices.int(1...3) {
            let length = choices.pick([0, 1, 4, 125])
            for number in 0..<choices.pick(sizes) {
                let payload = Array("\(number)".utf8.prefix(length))
                sequence.addPing(payload + choices.bytes(length - payload.count))
            }
            if choices.once(in: 2) { sequence.addMessage(&choices) }
        }
        sequence.addPing(Array("the last of them".utf8))
        var play = sequence.play
        play.chunks = .choose(&choices)
        play.ending = .choose(&choices)
        if !play.ending.isHold {
            play.awaitedPong = play.pings?.count ?? 0 <= mostAnswered ? play.pings?.last : play.pings?.first
        }
        return play
    }
}
