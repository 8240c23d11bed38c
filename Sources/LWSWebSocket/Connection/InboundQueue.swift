// Messages on their way to the readers.

internal import DequeModule
internal import LWSServiceLoop

/// Messages that have arrived and readers who wait for one. Messages and waiting readers are never both present,
/// but for the moment in which the first reader is told that the first message is of the other kind.
struct InboundQueue {
    /// Reading from the socket pauses at or above this many bytes or messages, and goes on below half of either.
    /// A queue holds at most this and the one message that was being assembled.
    static let maxBytes = 1 << 20
    static let maxMessages = 1024
    /// The same for pongs that the application's handler has not seen yet.
    static let maxPongs = 64

    private var messages: Deque<WebSocketMessage> = []
    private var bytes = 0
    private var readers: Deque<Reader> = []
    private var pongs = 0
    private(set) var isPaused = false

    /// What a reader asks for.
    enum Wish: Sendable {
        case any
        case only(MessageKind)

        func accepts(_ message: WebSocketMessage) -> Bool {
            switch self {
            case .any: true
            case .only(let kind): message.kind == kind
            }
        }
    }

    /// What a reader is given.
    enum Served {
        case message(WebSocketMessage)
        /// The first message in line is of this other kind; it stays there.
        case otherKind(MessageKind)
        /// The connection has ended.
        case ended
    }

    /// A caller blocked in a read. `served` belongs to the lock of the connection's state.
    final class Reader: @unchecked Sendable {
        // Safe to share: `served` is read and written with the connection's lock held; the rest is constant.
        let wish: Wish
        let semaphore = MonotonicSemaphore()
        var served: Served?
        init(_ wish: Wish) { self.wish = wish }
    }

    var isEmpty: Bool { messages.isEmpty }
    var hasRoom: Bool {
        bytes < Self.maxBytes && messages.count < Self.maxMessages && pongs < Self.maxPongs
    }

    // MARK: - The side of the loop

    /// Takes a message in. Returns the readers to wake.
    mutating func put(_ message: WebSocketMessage) -> [Reader] {
        messages.append(message)
        bytes += message.size
        return serve()
    }

    /// A pong is on its way to the handler.
    mutating func addPong() { pongs += 1 }

    /// The handler has seen a pong.
    mutating func removePong() { pongs -= 1 }

    /// Whether reading from the socket has to pause now. Asked after every message; remembers the answer.
    mutating func pauseIfFull() -> Bool {
        guard !isPaused, !hasRoom else { return false }
        isPaused = true
        return true
    }

    /// Forgets a pause, because the connection reads on whatever the queue holds.
    mutating func endPause() -> Bool {
        defer { isPaused = false }
        return isPaused
    }

    // MARK: - The side of the readers

    /// Gives the next message to a reader who arrives now, or queues them.
    mutating func take(_ wish: Wish) -> TakeResult {
        guard let first = messages.first else {
            let reader = Reader(wish)
            readers.append(reader)
            return .wait(reader)
        }
        guard wish.accepts(first) else { return .served(.otherKind(first.kind)) }
        return .served(.message(removeFirst()))
    }

    enum TakeResult {
        case served(Served)
        case wait(Reader)
    }

    /// Whether the readers have made enough room for reading from the socket to go on. Remembers the answer.
    mutating func resumeIfDrained() -> Bool {
        guard isPaused, bytes < Self.maxBytes / 2, messages.count < Self.maxMessages / 2,
            pongs < Self.maxPongs / 2
        else { return false }
        isPaused = false
        return true
    }

    /// Takes a reader away whose time is up, unless they have been served meanwhile.
    mutating func withdraw(_ reader: Reader) -> Served? {
        if let served = reader.served { return served }
        readers.removeAll { $0 === reader }
        return nil
    }

    /// Tells every waiting reader that nothing will come any more. Returns them, to be woken.
    mutating func endReaders() -> [Reader] {
        // An empty deque's copy to an array writes to the one empty array of the process, a race in the eyes of
        // the thread sanitizer.
        guard !readers.isEmpty else { return [] }
        let waiting = Array(readers)
        readers = []
        for reader in waiting { reader.served = .ended }
        return waiting
    }

    /// Moves the messages that nobody has read into a queue for the connection that follows this one.
    mutating func handOver() -> InboundQueue {
        var next = InboundQueue()
        swap(&next.messages, &messages)
        swap(&next.bytes, &bytes)
        return next
    }

    private mutating func serve() -> [Reader] {
        var woken: [Reader] = []
        while let first = messages.first, let reader = readers.popFirst() {
            reader.served = reader.wish.accepts(first) ? .message(removeFirst()) : .otherKind(first.kind)
            woken.append(reader)
        }
        return woken
    }

    private mutating func removeFirst() -> WebSocketMessage {
        let message = messages.removeFirst()
        bytes -= message.size
        return message
    }
}
