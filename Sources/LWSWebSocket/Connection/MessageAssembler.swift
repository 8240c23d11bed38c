// Joins what lws delivers piece by piece into whole messages, and gathers those of one read.

internal import DequeModule
internal import LWSPayload
internal import LWSServiceLoop

/// Assembles the pieces of one connection's incoming data frames into messages, and watches the limits.
///
/// lws delivers a frame in one or more pieces, each of at most the receive buffer's size. The bytes of a message
/// are gathered in one growing array, so the work is linear in the message's length.
struct MessageAssembler {
    let maxFrameSize: Int
    let maxMessageSize: Int?

    /// A text in pieces of at least so many bytes goes on soon, and is checked once, with its frame.
    private static let longPiece = 4096

    private var gathered: [UInt8] = []
    private var kind: MessageKind?
    private(set) var isInsideFrame = false
    private var textCheck = TextCheck()
    /// Bytes of the message that have been checked.
    private var checked = 0

    init(maxFrameSize: Int, maxMessageSize: Int?) {
        self.maxFrameSize = maxFrameSize
        self.maxMessageSize = maxMessageSize
    }

    /// A message has begun, and the next frame should continue it.
    var isBetweenFrames: Bool { kind != nil && !isInsideFrame }

    /// No message has begun.
    var isBetweenMessages: Bool { kind == nil }

    /// A piece of a data frame as lws delivers it.
    struct Piece {
        var bytes: UnsafeRawBufferPointer
        let kind: MessageKind
        /// Bytes of the same frame that are still to come.
        let remainingInFrame: Int
        /// Nothing of the message follows.
        var endsMessage: Bool
        /// Bytes of the frame that these were decompressed from; `nil` where they are not compressed.
        var inflatedFrom: Int?
    }

    enum Outcome: Equatable {
        case incomplete
        case message(WebSocketMessage)
        case violation(Violation)
    }

    mutating func add(_ piece: Piece) -> Outcome {
        if !isInsideFrame, (piece.inflatedFrom ?? piece.bytes.count) + piece.remainingInFrame > maxFrameSize {
            return .violation(.frameTooLarge(limit: maxFrameSize))
        }
        isInsideFrame = piece.remainingInFrame > 0
        let expected = piece.bytes.count + (piece.inflatedFrom == nil ? piece.remainingInFrame : 0)
        if let limit = maxMessageSize, gathered.count + expected > limit {
            return .violation(.messageTooLarge(limit: limit))
        }
        let kind = self.kind ?? piece.kind
        if piece.endsMessage, gathered.isEmpty {
            // The whole message in one piece, the usual case: straight into its final form.
            self.kind = nil
            return finish(piece.bytes, kind)
        }
        self.kind = kind
        let isFirst = gathered.isEmpty && piece.remainingInFrame > 0
        makeRoom(piece.bytes.count + (isFirst ? min(piece.remainingInFrame, maxFrameSize) : 0))
        gathered.append(contentsOf: piece.bytes)
        guard piece.endsMessage else {
            // A text that has gone wrong is not waited for (RFC 6455, section 8.1).
            guard kind == .text, !isInsideFrame || piece.bytes.count < Self.longPiece else { return .incomplete }
            defer { checked = gathered.count }
            return textCheck.accepts(gathered[checked...], isLast: false) ? .incomplete : .violation(.invalidUTF8)
        }
        defer { forget() }
        switch kind {
        case .binary: return .message(.binary(gathered))
        case .text: return gathered.withUnsafeBytes { finish($0, .text) }
        }
    }

    /// Makes the array grow in few and large steps, of which the last is the limit itself. What it does not use of them
    /// is only addresses, and what it grew out of, which the allocator may hold on to, is little beside the limit.
    private mutating func makeRoom(_ count: Int) {
        let needed = gathered.count + count
        guard needed > gathered.capacity else { return }
        var step = max(needed, gathered.capacity * 2)
        if let limit = maxMessageSize, limit >= step {
            step = limit
            while step / 16 >= needed { step /= 16 }
        }
        gathered.reserveCapacity(step)
    }

    /// Gives up the message under way.
    mutating func forget() {
        kind = nil
        gathered = []
        textCheck = TextCheck()
        checked = 0
    }

    private func finish(_ bytes: UnsafeRawBufferPointer, _ kind: MessageKind) -> Outcome {
        switch kind {
        case .binary: return .message(.binary([UInt8](bytes)))
        case .text:
            guard let text = String(validating: bytes.bindMemory(to: UInt8.self), as: UTF8.self) else {
                return .violation(.invalidUTF8)
            }
            return .message(.text(text))
        }
    }
}

// MARK: - What has arrived of a connection's messages since the loop last gave it any

/// Assembles messages and gathers those of one read of the socket, for each time that they are handed over costs a lock.
struct Arrivals {
    /// What is gathered at most: all that one read of the socket gives (`LoopContext.serviceBufferSize`), down to messages of 64
    /// bytes. Never more than the queue has room for: where reading has to pause, it does so behind the message that filled the
    /// queue.
    private static let most = InboundQueue.Room(messages: 1024, bytes: 1 << 16)
    /// The room that the queue had last; it can only have grown since.
    var room: InboundQueue.Room

    private(set) var assembler: MessageAssembler
    /// The whole messages; whoever takes them takes all.
    var messages: Deque<WebSocketMessage> = []
    private var bytes = 0

    init(maxFrameSize: Int, maxMessageSize: Int?, room: InboundQueue.Room) {
        self.room = room
        assembler = MessageAssembler(maxFrameSize: maxFrameSize, maxMessageSize: maxMessageSize)
    }

    enum Step {
        case incomplete
        /// A message is whole.
        case gathered(isFirst: Bool, isFull: Bool)
        case violation(Violation)
    }

    mutating func add(_ piece: MessageAssembler.Piece) -> Step {
        switch assembler.add(piece) {
        case .incomplete: return .incomplete
        case .violation(let violation): return .violation(violation)
        case .message(let message):
            let isFirst = messages.isEmpty
            bytes = (isFirst ? 0 : bytes) + message.size
            messages.append(message)
            let isFull =
                messages.count >= min(room.messages, Self.most.messages) || bytes >= min(room.bytes, Self.most.bytes)
            return .gathered(isFirst: isFirst, isFull: isFull)
        }
    }

    /// Gives up the message under way.
    mutating func forget() { assembler.forget() }
}
