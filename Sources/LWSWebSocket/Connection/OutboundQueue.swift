// Messages and control frames on their way to the loop.

internal import DequeModule
internal import LWSServiceLoop

/// What waits to be sent, in the order in which it leaves: control frames first, which may go between the frames
/// of a message (RFC 6455, section 5.4), then messages, one whole message after the other.
///
/// Its length is bounded by the number of callers: each waits for what they have queued.
struct OutboundQueue {
    private var controls: Deque<OutgoingMessage> = []
    private var messages: Deque<OutgoingMessage> = []
    /// How much of the first message has been handed to lws, in bytes, or in frames where it has spans; `nil` before its
    /// first frame.
    private var offset: Int?
    /// Handed to lws whole, but perhaps not yet to the operating system.
    private var leaving: Deque<OutgoingMessage> = []

    /// What lws is to be handed next.
    enum Next {
        /// A frame, or as much of a message as is to be compressed at once.
        case frame(Frame)
        /// Frames that lie one behind the other.
        case run(OutgoingMessage, Range<Int>)
    }

    struct Frame {
        let message: OutgoingMessage
        let offset: Int
        let count: Int
        var isFirst: Bool { offset == 0 }
        let isLast: Bool
    }

    /// A part of a message has been handed to lws, and the rest waits for the socket.
    var isInsideMessage: Bool { offset != nil }

    /// Nothing is left to be handed to lws.
    var isDrained: Bool { controls.isEmpty && messages.isEmpty }

    /// What has not left yet.
    var count: Int { controls.count + messages.count + leaving.count }

    mutating func put(_ message: OutgoingMessage) {
        if message.kind.isControl { controls.append(message) } else { messages.append(message) }
    }

    /// One that has begun to leave without having waited here.
    mutating func putLeaving(_ message: OutgoingMessage) { leaving.append(message) }

    /// What to hand to lws next: a frame of at most `maxFrameSize` bytes, or frames of at most `runSize` together, but at
    /// least one. From then on it counts as begun.
    mutating func next(maxFrameSize: Int, runSize: Int) -> Next? {
        if let control = controls.popFirst() {
            leaving.append(control)
            return .frame(Frame(message: control, offset: 0, count: control.count, isLast: true))
        }
        guard let message = messages.first else { return nil }
        let start = offset ?? 0
        guard message.spans.isEmpty else {
            let end = Self.end(of: message.spans, from: start, runSize)
            advance(message, to: end, of: message.spans.count)
            return .run(message, start..<end)
        }
        let count = min(maxFrameSize, message.count - start)
        advance(message, to: start + count, of: message.count)
        return .frame(Frame(message: message, offset: start, count: count, isLast: start + count == message.count))
    }

    private mutating func advance(_ message: OutgoingMessage, to place: Int, of all: Int) {
        guard place == all else {
            offset = place
            return
        }
        messages.removeFirst()
        offset = nil
        leaving.append(message)
    }

    private static func end(of spans: [OutgoingMessage.Span], from start: Int, _ size: Int) -> Int {
        var end = start + 1
        while end < spans.count, spans[end].end - spans[start].headerStart <= size { end += 1 }
        return end
    }

    /// What ``flushed()`` is about to say that it has left.
    var leavingTraffic: ClientMetrics.Traffic { .init(leaving) }

    /// All that was handed to lws is with the operating system. Returns who waits for that.
    mutating func flushed() -> [CallerSignal] {
        guard !leaving.isEmpty else { return [] }
        var waiters: [CallerSignal] = []
        for message in leaving {
            message.outcome = .sent
            if let signal = message.signal { waiters.append(signal) }
        }
        leaving.removeAll(keepingCapacity: leaving.count < 64)
        return waiters
    }

    /// Takes back a message of which nothing has been handed to lws. Returns false where some has.
    mutating func withdraw(_ message: OutgoingMessage) -> Bool {
        if let index = controls.firstIndex(where: { $0 === message }) {
            controls.remove(at: index)
            return true
        }
        guard let index = messages.firstIndex(where: { $0 === message }) else { return false }
        if index == messages.startIndex, offset != nil { return false }
        messages.remove(at: index)
        return true
    }

    /// Gives up all that has not left. Returns who waits for it.
    mutating func end() -> [CallerSignal] {
        let given = controls + messages + leaving
        // As in InboundQueue.endReaders.
        guard !given.isEmpty else { return [] }
        for message in controls { message.outcome = .unsent }
        for message in messages { message.outcome = .unsent }
        if isInsideMessage { messages.first?.outcome = .cut }
        for message in leaving { message.outcome = .cut }
        self = OutboundQueue()
        return given.compactMap(\.signal)
    }
}
