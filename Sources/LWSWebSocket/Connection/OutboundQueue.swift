// Messages and control frames on their way to the loop.

internal import DequeModule

/// What waits to be sent, in the order in which it leaves: control frames first, which may go between the frames
/// of a message (RFC 6455, section 5.4), then messages, one whole message after the other.
///
/// Its length is bounded by the number of callers: each waits for what they have queued.
struct OutboundQueue {
    private var controls: Deque<OutgoingMessage> = []
    private var messages: Deque<OutgoingMessage> = []
    /// How much of the first message has been handed to lws; `nil` before its first frame.
    private var offset: Int?
    /// Handed to lws whole, but perhaps not yet to the operating system.
    private var leaving: Deque<OutgoingMessage> = []

    /// A frame for lws to send.
    struct Frame {
        let message: OutgoingMessage
        let offset: Int
        let count: Int
        var isFirst: Bool { offset == 0 }
        let isLast: Bool
    }

    /// A part of a message has been handed to lws, and the rest waits for the socket.
    var isInsideMessage: Bool { offset != nil }

    /// What has not left yet.
    var count: Int { controls.count + messages.count + leaving.count }

    mutating func put(_ message: OutgoingMessage) {
        if message.kind.isControl { controls.append(message) } else { messages.append(message) }
    }

    /// The next frame to hand to lws, of at most `maxFrameSize` bytes; from then on it counts as begun.
    mutating func nextFrame(maxFrameSize: Int) -> Frame? {
        if let control = controls.popFirst() {
            leaving.append(control)
            return Frame(message: control, offset: 0, count: control.count, isLast: true)
        }
        guard let message = messages.first else { return nil }
        let start = offset ?? 0
        let count = min(maxFrameSize, message.count - start)
        let isLast = start + count == message.count
        if isLast {
            messages.removeFirst()
            offset = nil
            leaving.append(message)
        } else {
            offset = start + count
        }
        return Frame(message: message, offset: start, count: count, isLast: isLast)
    }

    /// All that was handed to lws is with the operating system. Returns the messages that are sent by it.
    mutating func flushed() -> Deque<OutgoingMessage> {
        let sent = leaving
        leaving = []
        for message in sent { message.outcome = .sent }
        return sent
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

    /// Gives up all that has not left. Returns it, for its senders to be woken.
    mutating func end() -> [OutgoingMessage] {
        let given = controls + messages + leaving
        // As in InboundQueue.endReaders.
        guard !given.isEmpty else { return [] }
        for message in controls { message.outcome = .unsent }
        for message in messages { message.outcome = .unsent }
        if isInsideMessage { messages.first?.outcome = .cut }
        for message in leaving { message.outcome = .cut }
        self = OutboundQueue()
        return Array(given)
    }
}
