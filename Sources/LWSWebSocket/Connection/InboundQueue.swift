// Messages on their way to the readers.

internal import DequeModule
internal import LWSServiceLoop

/// Messages that have arrived and readers who wait for one. Messages and waiting readers are never both present,
/// but for the moment in which the first reader is told that the first message is of the other kind.
struct InboundQueue {
    /// Reading from the socket pauses at or above this many bytes or messages, and goes on below half of either.
    /// A queue holds at most this and the one message that was being assembled.
    static let maxBytes = 1 << 20
    ///
    /// What lws reads at once should fit where messages are short: to pause in the midst of it has lws copy the rest.
    static let maxMessages = 4096
    /// The same for pongs that the application's handler has not seen yet.
    static let maxPongs = 64

    private var messages: Deque<WebSocketMessage> = []
    private var bytes = 0
    private var readers: Deque<Reader> = []
    /// The last reader, for the next one.
    private var spare: Reader?
    /// How many messages have been taken, and which of them are first in line again, for they were given back.
    private var taken = 0
    private var returned: [Int] = []
    private var pongs = 0
    /// However many there are, reading goes on.
    private var ignoresPongs = false
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

    /// A caller in a read, blocked or suspended. The signal tells them to look at `served`; it may do so in vain, for a late
    /// one may have been meant for the reader who had this object before.
    final class Reader: @unchecked Sendable {
        // Safe to share: the variables belong to the lock of the connection's state; the signal is constant.
        fileprivate(set) var wish: Wish
        let signal: CallerSignal
        fileprivate(set) var served: Served?
        /// Which message that was, counted in the order in which they came.
        fileprivate(set) var number = 0
        init(_ wish: Wish, _ signal: CallerSignal) {
            self.wish = wish
            self.signal = signal
        }
    }

    /// Readers who have been served. Mostly one, for whom no array is made.
    struct Woken {
        private(set) var first: Reader?
        private(set) var others: [Reader] = []

        mutating func append(_ reader: Reader) {
            if first == nil { first = reader } else { others.append(reader) }
        }

        mutating func append(contentsOf woken: Woken) {
            if let first = woken.first { append(first) }
            for reader in woken.others { append(reader) }
        }

        func signal() {
            first?.signal.signal()
            for reader in others { reader.signal.signal() }
        }
    }

    var isEmpty: Bool { messages.isEmpty }
    var count: Int { messages.count }
    var hasReaders: Bool { !readers.isEmpty }
    var readerCount: Int { readers.count }
    /// A message was taken, or can be.
    var hasServed: Bool { taken > 0 || !messages.isEmpty }
    var hasRoom: Bool {
        bytes < Self.maxBytes && messages.count < Self.maxMessages && (ignoresPongs || pongs < Self.maxPongs)
    }

    /// How much more it takes before it is full.
    struct Room: Equatable {
        var messages = InboundQueue.maxMessages
        var bytes = InboundQueue.maxBytes
    }

    var room: Room { Room(messages: Self.maxMessages - messages.count, bytes: Self.maxBytes - bytes) }

    // MARK: - The side of the loop

    /// Takes a message in. Returns the readers to wake.
    mutating func put(_ message: WebSocketMessage) -> Woken {
        messages.append(message)
        bytes += message.size
        return serve()
    }

    /// Takes all messages out of `new`. Returns the readers to wake.
    mutating func put(_ new: inout Deque<WebSocketMessage>) -> Woken {
        for message in new { bytes += message.size }
        if messages.isEmpty {
            swap(&messages, &new)
        } else {
            messages.append(contentsOf: new)
            new.removeAll(keepingCapacity: true)
        }
        return serve()
    }

    /// A pong is on its way to the handler.
    mutating func addPong() { pongs += 1 }

    /// The handler has seen a pong.
    mutating func removePong() {
        pongs -= 1
        ignoresPongs = false
    }

    /// They do not keep the connection from reading until the handler has seen the next.
    mutating func ignorePongs() { ignoresPongs = true }

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
    /// - Parameter task: how a reader is woken who is suspended; `nil` for one who is blocked.
    mutating func take(_ wish: Wish, waking task: TaskSignal? = nil) -> TakeResult {
        guard let served = takeNow(wish) else {
            let reader = task.map { Reader(wish, .suspended($0)) } ?? blockedReader(wish)
            readers.append(reader)
            return .wait(reader)
        }
        return .served(served)
    }

    private mutating func blockedReader(_ wish: Wish) -> Reader {
        guard let reader = spare else { return Reader(wish, .blocked(MonotonicSemaphore())) }
        spare = nil
        reader.wish = wish
        return reader
    }

    /// The next message, if there is one.
    mutating func takeNow(_ wish: Wish) -> Served? {
        guard let first = messages.popFirst() else { return nil }
        guard wish.accepts(first) else {
            messages.prepend(first)
            return .otherKind(first.kind)
        }
        bytes -= first.size
        if returned.isEmpty { taken += 1 } else { returned.removeFirst() }
        return .message(first)
    }

    enum TakeResult {
        case served(Served)
        case wait(Reader)
    }

    /// Whether the readers have made enough room for reading from the socket to go on. Remembers the answer.
    mutating func resumeIfDrained() -> Bool {
        guard isPaused, bytes < Self.maxBytes / 2, messages.count < Self.maxMessages / 2,
            ignoresPongs || pongs < Self.maxPongs / 2
        else { return false }
        isPaused = false
        return true
    }

    /// What a reader was given, if it was.
    mutating func collect(_ reader: Reader) -> Served? {
        guard let served = reader.served else { return nil }
        reader.served = nil
        keep(reader)
        return served
    }

    /// For the next one who is blocked.
    private mutating func keep(_ reader: Reader) {
        if case .blocked = reader.signal { spare = reader }
    }

    /// Takes a reader away whose time is up, unless they have been served meanwhile.
    mutating func withdraw(_ reader: Reader) -> Served? {
        if let served = collect(reader) { return served }
        readers.removeAll { $0 === reader }
        keep(reader)
        return nil
    }

    /// Takes a reader away, with the message that they may have been given.
    mutating func reclaim(_ reader: Reader) -> WebSocketMessage? {
        guard case .message(let message) = withdraw(reader) else { return nil }
        return message
    }

    /// Takes back a message that its reader does not want any more: it goes to the next of them, before those that came after
    /// it. Returns who is to be woken.
    mutating func putBack(_ message: WebSocketMessage, number: Int = 0) -> Woken {
        let place = returned.firstIndex { $0 > number } ?? returned.count
        messages.insert(message, at: place)
        returned.insert(number, at: place)
        bytes += message.size
        return serve()
    }

    /// Both, where the reader's connection is still the one of now.
    mutating func giveUp(_ reader: Reader) -> Woken? {
        reclaim(reader).map { putBack($0, number: reader.number) }
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
        swap(&next.taken, &taken)
        swap(&next.returned, &returned)
        return next
    }

    private mutating func serve() -> Woken {
        var woken = Woken()
        while !messages.isEmpty, let reader = readers.popFirst() {
            reader.number = returned.first ?? taken + 1
            reader.served = takeNow(reader.wish)
            woken.append(reader)
        }
        return woken
    }
}
