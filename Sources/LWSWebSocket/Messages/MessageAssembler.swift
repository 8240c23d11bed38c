// Joins what lws delivers piece by piece into whole messages.

/// Assembles the pieces of one connection's incoming data frames into messages, and watches the limits.
///
/// lws delivers a frame in one or more pieces, each of at most the receive buffer's size. The bytes of a message
/// are gathered in one growing array, so the work is linear in the message's length.
struct MessageAssembler {
    let maxFrameSize: Int
    let maxMessageSize: Int?

    private var gathered: [UInt8] = []
    private var kind: MessageKind?
    private var isInsideFrame = false

    init(maxFrameSize: Int, maxMessageSize: Int?) {
        self.maxFrameSize = maxFrameSize
        self.maxMessageSize = maxMessageSize
    }

    /// A message has begun, and the next frame should continue it.
    var isBetweenFrames: Bool { kind != nil && !isInsideFrame }

    /// A piece of a data frame as lws delivers it.
    struct Piece {
        let bytes: UnsafeRawBufferPointer
        let kind: MessageKind
        /// Bytes of the same frame that are still to come.
        let remainingInFrame: Int
        /// Nothing of the message follows.
        let endsMessage: Bool
    }

    enum Outcome: Equatable {
        case incomplete
        case message(WebSocketMessage)
        case violation(Violation)
    }

    mutating func add(_ piece: Piece) -> Outcome {
        if !isInsideFrame, piece.bytes.count + piece.remainingInFrame > maxFrameSize {
            return .violation(.frameTooLarge(limit: maxFrameSize))
        }
        isInsideFrame = piece.remainingInFrame > 0
        if let limit = maxMessageSize, gathered.count + piece.bytes.count + piece.remainingInFrame > limit {
            return .violation(.messageTooLarge(limit: limit))
        }
        let kind = self.kind ?? piece.kind
        if piece.endsMessage, gathered.isEmpty {
            // The whole message in one piece, the usual case: straight into its final form.
            self.kind = nil
            return finish(piece.bytes, kind)
        }
        self.kind = kind
        if gathered.isEmpty, piece.remainingInFrame > 0 {
            gathered.reserveCapacity(piece.bytes.count + min(piece.remainingInFrame, maxFrameSize))
        }
        gathered.append(contentsOf: piece.bytes)
        guard piece.endsMessage else { return .incomplete }
        defer {
            self.kind = nil
            gathered = []
        }
        switch kind {
        case .binary: return .message(.binary(gathered))
        case .text: return gathered.withUnsafeBytes { finish($0, .text) }
        }
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
