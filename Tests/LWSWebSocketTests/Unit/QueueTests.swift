// The queues of one connection, without I/O.

import DequeModule
import Testing

@testable import LWSWebSocket

@Suite("The queue of incoming messages")
struct InboundQueueTests {
    @Test("serves readers in the order in which they came, each message to one of them")
    func order() throws {
        var queue = InboundQueue()
        guard case .wait(let first) = queue.take(.any), case .wait(let second) = queue.take(.any) else {
            Issue.record("a reader was served from an empty queue")
            return
        }
        #expect(queue.put(.text("1")).all.map(ObjectIdentifier.init) == [ObjectIdentifier(first)])
        #expect(queue.put(.text("2")).all.map(ObjectIdentifier.init) == [ObjectIdentifier(second)])
        guard case .message(.text("1")) = first.served, case .message(.text("2")) = second.served else {
            Issue.record("the readers were served in the wrong order")
            return
        }
        #expect(queue.isEmpty)
    }

    @Test("leaves a message of the other kind first in line, for the next reader")
    func otherKind() {
        var queue = InboundQueue()
        _ = queue.put(.binary([1]))
        guard case .served(.otherKind(.binary)) = queue.take(.only(.text)) else {
            Issue.record("a text reader was not told of the binary message")
            return
        }
        guard case .served(.message(.binary([1]))) = queue.take(.only(.binary)) else {
            Issue.record("the message was lost")
            return
        }
    }

    @Test("tells a waiting reader of the other kind and serves the one behind")
    func otherKindWaiting() {
        var queue = InboundQueue()
        guard case .wait(let text) = queue.take(.only(.text)), case .wait(let any) = queue.take(.any) else {
            Issue.record("not waiting")
            return
        }
        #expect(queue.put(.binary([1])).all.count == 2)
        guard case .otherKind(.binary) = text.served, case .message(.binary([1])) = any.served else {
            Issue.record("wrong service")
            return
        }
    }

    @Test("does not give a message to a reader who has left")
    func withdraw() {
        var queue = InboundQueue()
        guard case .wait(let reader) = queue.take(.any) else { return }
        #expect(queue.withdraw(reader) == nil)
        #expect(queue.put(.text("next")).all.isEmpty)
        guard case .served(.message(.text("next"))) = queue.take(.any) else {
            Issue.record("the message was swallowed")
            return
        }
    }

    @Test("gives a reader whose time is up the message that was handed over in the last moment")
    func lateWithdraw() {
        var queue = InboundQueue()
        guard case .wait(let reader) = queue.take(.any) else { return }
        _ = queue.put(.text("now"))
        guard case .message(.text("now")) = queue.withdraw(reader) else {
            Issue.record("the message was lost")
            return
        }
    }

    @Test("takes many messages at once: those who wait get theirs, the others stay in order")
    func many() {
        var queue = InboundQueue()
        guard case .wait(let first) = queue.take(.any), case .wait(let second) = queue.take(.any) else { return }
        var arrived: Deque<WebSocketMessage> = [.text("1"), .text("2"), .text("3")]
        #expect(queue.put(&arrived).all.count == 2)
        #expect(arrived.isEmpty)
        #expect(queue.collect(first) == .message(.text("1")))
        #expect(queue.collect(second) == .message(.text("2")))
        arrived = [.text("4"), .text("5")]
        #expect(queue.put(&arrived).all.isEmpty)
        #expect(arrived.isEmpty)
        let rest = (0..<4).map { _ in queue.takeNow(.any) }
        #expect(rest == [.message(.text("3")), .message(.text("4")), .message(.text("5")), nil])
    }

    @Test("keeps a reader's object for the next reader, and gives that one nothing of what the last one had")
    func reuse() {
        var queue = InboundQueue()
        guard case .wait(let reader) = queue.take(.only(.text)) else { return }
        _ = queue.put(.text("1"))
        #expect(queue.collect(reader) == .message(.text("1")))
        guard case .wait(let next) = queue.take(.only(.binary)) else { return }
        #expect(next === reader)
        #expect(queue.collect(next) == nil)
        guard case .wait(let other) = queue.take(.any) else { return }
        #expect(other !== next, "it is in use")
        _ = queue.put(.text("2"))
        #expect(queue.collect(next) == .otherKind(.text))
        #expect(queue.collect(other) == .message(.text("2")))
    }

    @Test("pauses the socket at its limit of bytes and goes on below half of it")
    func bytes() {
        var queue = InboundQueue()
        let half = WebSocketMessage.binary([UInt8](repeating: 0, count: InboundQueue.maxBytes / 2))
        _ = queue.put(half)
        #expect(queue.pauseIfFull() == false)
        _ = queue.put(half)
        let hasPaused = queue.pauseIfFull()
        #expect(hasPaused)
        #expect(queue.pauseIfFull() == false, "paused twice")
        _ = queue.take(.any)
        #expect(queue.resumeIfDrained() == false)
        _ = queue.take(.any)
        let hasResumed = queue.resumeIfDrained()
        #expect(hasResumed)
        #expect(queue.resumeIfDrained() == false, "resumed twice")
    }

    @Test("hands its messages over to the next connection's, in order, and counts them there")
    func handOver() {
        var queue = InboundQueue()
        let half = WebSocketMessage.binary([UInt8](repeating: 0, count: InboundQueue.maxBytes / 2))
        for message in [.text("1"), half, half] { _ = queue.put(message) }
        let hasPaused = queue.pauseIfFull()
        #expect(hasPaused)
        var next = queue.handOver()
        #expect(queue.isEmpty)
        let isFull = next.pauseIfFull()
        #expect(isFull, "the next connection reads on past the limit")
        _ = next.put(.text("2"))
        let left = (0..<4).map { _ -> InboundQueue.Served in
            if case .served(let served) = next.take(.any) { served } else { .ended }
        }
        #expect(left == [.message(.text("1")), .message(half), .message(half), .message(.text("2"))])
        let isDrained = next.resumeIfDrained()
        #expect(isDrained)
    }

    @Test("pauses the socket at its limit of messages")
    func count() {
        var queue = InboundQueue()
        for index in 1...InboundQueue.maxMessages {
            _ = queue.put(.text(""))
            #expect(queue.pauseIfFull() == (index == InboundQueue.maxMessages))
        }
    }
}

@Suite("The queue of outgoing messages")
struct OutboundQueueTests {
    private func message(_ kind: OutgoingMessage.Kind, _ count: Int) -> OutgoingMessage {
        [UInt8](repeating: 1, count: count).withUnsafeBytes { OutgoingMessage(kind, $0) }
    }

    @Test("cuts a message into frames of at most the limit")
    func frames() {
        var queue = OutboundQueue()
        queue.put(message(.text, 25))
        let frames = (0..<4).map { _ in queue.nextFrame(maxFrameSize: 10) }
        #expect(frames.map { $0?.count } == [10, 10, 5, nil])
        #expect(frames.map { $0?.offset } == [0, 10, 20, nil])
        #expect(frames.map { $0?.isLast } == [false, false, true, nil])
        #expect(frames.map { $0?.isFirst } == [true, false, false, nil])
    }

    @Test("sends a message of the frame limit, and an empty one, as one frame")
    func single() {
        var queue = OutboundQueue()
        queue.put(message(.binary, 10))
        queue.put(message(.binary, 0))
        #expect(queue.nextFrame(maxFrameSize: 10)?.isLast == true)
        #expect(queue.nextFrame(maxFrameSize: 10)?.isLast == true)
        #expect(queue.nextFrame(maxFrameSize: 10) == nil)
    }

    @Test("lets control frames go between the frames of a message, and messages only after one another")
    func interleaving() {
        var queue = OutboundQueue()
        queue.put(message(.text, 20))
        queue.put(message(.binary, 5))
        _ = queue.nextFrame(maxFrameSize: 10)
        queue.put(message(.ping, 3))
        let kinds = (0..<4).map { _ in queue.nextFrame(maxFrameSize: 10)?.message.kind }
        #expect(kinds == [.ping, .text, .binary, nil])
    }

    @Test("counts a message as sent only when all of it has been flushed")
    func flushed() {
        var queue = OutboundQueue()
        let long = message(.text, 15)
        _ = long.waiter()
        queue.put(long)
        _ = queue.nextFrame(maxFrameSize: 10)
        #expect(queue.flushed().isEmpty)
        _ = queue.nextFrame(maxFrameSize: 10)
        #expect(long.outcome == nil)
        #expect(queue.flushed().count == 1)
        #expect(long.outcome == .sent)
    }

    @Test("gives back a message of which nothing has left, and no other")
    func withdraw() {
        var queue = OutboundQueue()
        let first = message(.text, 15)
        let second = message(.text, 15)
        queue.put(first)
        queue.put(second)
        _ = queue.nextFrame(maxFrameSize: 10)
        #expect(queue.withdraw(first) == false)
        let isWithdrawn = queue.withdraw(second)
        #expect(isWithdrawn)
        _ = queue.nextFrame(maxFrameSize: 10)
        #expect(queue.withdraw(first) == false, "it is with lws, if not yet with the operating system")
    }
}

@Suite("The end of outgoing messages")
struct OutboundEndTests {
    @Test("tells those that were never begun from those of which something may have left")
    func outcomes() {
        let kinds: [OutgoingMessage.Kind] = [.ping, .text, .binary, .text, .pong]
        let messages = kinds.map { kind in
            [UInt8](repeating: 1, count: 15).withUnsafeBytes { OutgoingMessage(kind, $0) }
        }
        var queue = OutboundQueue()
        for message in messages { _ = message.waiter() }
        for message in messages.dropLast() { queue.put(message) }
        // The ping and the first text whole, the first frame of the binary message.
        for _ in 0..<4 { _ = queue.nextFrame(maxFrameSize: 10) }
        queue.put(messages[4])
        #expect(queue.end().count == 5)
        #expect(messages.map(\.outcome) == [.cut, .cut, .cut, .unsent, .unsent])
    }
}

extension InboundQueue.Woken {
    fileprivate var all: [InboundQueue.Reader] { (first.map { [$0] } ?? []) + others }
}

extension InboundQueue.Served: Equatable {
    static func == (left: Self, right: Self) -> Bool {
        switch (left, right) {
        case (.message(let left), .message(let right)): left == right
        case (.otherKind(let left), .otherKind(let right)): left == right
        case (.ended, .ended): true
        default: false
        }
    }
}
extension OutboundQueue {
    /// The next frame of messages in one piece.
    fileprivate mutating func nextFrame(maxFrameSize: Int) -> Frame? {
        guard case .frame(let frame) = next(maxFrameSize: maxFrameSize, runSize: 100) else { return nil }
        return frame
    }
}
extension OutboundQueue.Frame: Equatable {
    static func == (left: Self, right: Self) -> Bool {
        left.message === right.message && left.offset == right.offset
    }
}
