// What has arrived of a connection's messages since the loop last gave it any.

internal import DequeModule
internal import LWSServiceLoop

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
