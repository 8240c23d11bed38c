// A message or control frame on its way out.

internal import LWSServiceLoop

/// What a caller wants sent, in a buffer of its own: the one copy that is made of it. There is room for the header before
/// each frame's payload, so that frames can be completed and masked where they lie, and leave in one piece.
final class OutgoingMessage: @unchecked Sendable {
    // Safe to share: the buffer is filled before anyone else knows the object, then touched by the holder of the loop alone,
    // as `leftAt` is; `outcome` and `signal` belong to the lock of the connection's state; the rest is constant.
    enum Kind: Sendable {
        case text, binary, ping, pong
        var isControl: Bool { self == .ping || self == .pong }
    }

    enum Outcome {
        /// Every byte has been handed to the operating system.
        case sent
        /// The connection ended before any of it was handed to lws. It may be sent on another.
        case unsent
        /// The connection ended when some of it, or all, had been handed to lws. Nobody knows what has arrived.
        case cut
    }

    /// One frame in the buffer.
    struct Span {
        let opcode: UInt8
        let isFinal: Bool
        /// Where its payload begins; the header ends there.
        let start: Int
        let count: Int
        var headerStart: Int { start - FrameHeader.length(of: count) }
        var end: Int { start + count }
    }

    /// Bytes that lws wants before a payload (`LWS_PRE`, 16 where pointers have 8 bytes), which holds any header too.
    static let headroom = 16

    let kind: Kind
    /// Bytes of payload.
    let count: Int
    /// The frames, where there are several; else the payload is in one piece.
    let spans: [Span]
    private(set) var signal: CallerSignal?
    var outcome: Outcome?
    /// When a control frame was handed to lws.
    var leftAt: LoopClock.Instant?
    private let buffer: UnsafeMutableRawBufferPointer

    /// A message in one piece, which lws or its extension may cut into frames.
    init(_ kind: Kind, _ payload: UnsafeRawBufferPointer) {
        self.kind = kind
        count = payload.count
        spans = []
        buffer = .allocate(byteCount: Self.headroom + payload.count, alignment: 16)
        UnsafeMutableRawBufferPointer(rebasing: buffer[Self.headroom...]).copyMemory(from: payload)
    }

    /// A data message in frames of at most `frameSize` bytes.
    convenience init(_ kind: Kind, _ payload: UnsafeRawBufferPointer, frameSize: Int) {
        guard payload.count > frameSize else {
            self.init(kind, payload)
            return
        }
        self.init(of: 1, kind, byteCount: payload.count, frameSize: frameSize) { _, add in add(kind, payload) }
    }

    /// Several data messages, which leave in as few pieces as the system takes.
    convenience init(_ messages: [WebSocketMessage], frameSize: Int) {
        self.init(
            of: messages.count, .binary, byteCount: messages.reduce(0) { $0 + $1.size }, frameSize: frameSize
        ) { index, add in
            switch messages[index] {
            case .text(var text): text.withUTF8 { add(.text, UnsafeRawBufferPointer($0)) }
            case .binary(let bytes): bytes.withUnsafeBytes { add(.binary, $0) }
            }
        }
    }

    private init(
        of messages: Int, _ kind: Kind, byteCount: Int, frameSize: Int,
        _ each: (Int, (Kind, UnsafeRawBufferPointer) -> Void) -> Void
    ) {
        let mostFrames = messages + byteCount / frameSize
        let buffer = UnsafeMutableRawBufferPointer.allocate(
            byteCount: Self.headroom + byteCount + mostFrames * FrameHeader.length(of: min(frameSize, byteCount)),
            alignment: 16)
        var spans: [Span] = []
        spans.reserveCapacity(mostFrames)
        var end = 0
        for index in 0..<messages {
            each(index) { kind, payload in
                var rest = payload
                repeat {
                    let part = UnsafeRawBufferPointer(rebasing: rest.prefix(frameSize))
                    let start = end + FrameHeader.length(of: part.count)
                    let opcode: UInt8 = rest.count < payload.count ? 0 : kind == .text ? 1 : 2
                    spans.append(
                        Span(opcode: opcode, isFinal: part.count == rest.count, start: start, count: part.count))
                    UnsafeMutableRawBufferPointer(rebasing: buffer[start...]).copyMemory(from: part)
                    end = start + part.count
                    rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(part.count))
                } while !rest.isEmpty
            }
        }
        self.kind = kind
        self.buffer = buffer
        self.spans = spans
        count = byteCount
    }

    deinit { buffer.deallocate() }

    /// What its sender waits for who is blocked.
    func waiter() -> MonotonicSemaphore {
        if let semaphore = signal?.semaphore { return semaphore }
        let made = MonotonicSemaphore()
        signal = .blocked(made)
        return made
    }

    /// Its sender is suspended, and is woken by this.
    func wakes(_ task: TaskSignal) { signal = .suspended(task) }

    /// The payload from `offset` on of a message in one piece, with ``headroom`` writable bytes before it. While the message
    /// goes out those may be the end of the frame before, which has left by then.
    func payload(from offset: Int) -> UnsafeMutableRawPointer? {
        buffer.baseAddress.map { $0 + Self.headroom + offset }
    }

    /// A data message, or the beginning of it.
    struct Content {
        let kind: MessageKind
        var beginning: [UInt8] = []
        var count = 0
    }

    /// What it says, message by message, as long as nothing of it is masked. Of a control frame nothing.
    func contents(upTo limit: Int) -> [Content] {
        guard !kind.isControl else { return [] }
        let spans = spans.isEmpty ? [onlySpan] : spans
        return spans.reduce(into: []) { messages, span in
            var message =
                (span.opcode == 0 ? messages.popLast() : nil) ?? Content(kind: span.opcode == 2 ? .binary : .text)
            message.beginning += buffer[span.start..<span.end].prefix(limit - message.beginning.count)
            message.count += span.count
            messages.append(message)
        }
    }

    /// How many data messages it is.
    var messageCount: Int { spans.isEmpty ? 1 : spans.count(where: \.isFinal) }

    /// The only frame of a data message that is in one piece.
    var onlySpan: Span {
        Span(opcode: kind == .text ? 1 : 2, isFinal: true, start: Self.headroom, count: count)
    }

    /// Writes header and mask of a frame. Returns all its bytes. Once for each frame.
    func seal(_ span: Span, _ mask: UInt32) -> UnsafeMutableRawBufferPointer {
        let frame = UnsafeMutableRawBufferPointer(rebasing: buffer[span.headerStart..<span.end])
        FrameHeader.write(span, mask, to: frame)
        return frame
    }
}

// MARK: - Headers and masks of outgoing data frames (RFC 6455, section 5.2)

/// Data frames that this library completes itself and sends as they are to leave, or hands to lws so (LWS_WRITE_RAW): whole
/// frames only. lws would read four random bytes from the kernel for each, mask byte by byte, and read nothing more of a
/// connection where it could not write. Control frames, and all that comes in, are lws's.
enum FrameHeader {
    /// Its length, mask included.
    static func length(of payload: Int) -> Int { payload < 126 ? 6 : payload < 65536 ? 8 : 14 }

    /// Completes a frame whose payload is in place, behind the room for its header, and masks that.
    static func write(_ span: OutgoingMessage.Span, _ mask: UInt32, to frame: UnsafeMutableRawBufferPointer) {
        frame[0] = (span.isFinal ? 0x80 : 0) | span.opcode
        let maskStart: Int
        switch span.count {
        case ..<126:
            frame[1] = 0x80 | UInt8(span.count)
            maskStart = 2
        case ..<65536:
            frame[1] = 0x80 | 126
            frame.storeBytes(of: UInt16(span.count).bigEndian, toByteOffset: 2, as: UInt16.self)
            maskStart = 4
        default:
            frame[1] = 0x80 | 127
            frame.storeBytes(of: UInt64(span.count).bigEndian, toByteOffset: 2, as: UInt64.self)
            maskStart = 10
        }
        frame.storeBytes(of: mask, toByteOffset: maskStart, as: UInt32.self)
        apply(mask, to: UnsafeMutableRawBufferPointer(rebasing: frame[(maskStart + 4)...]))
    }

    /// What a completed frame's header says.
    static func read(_ frame: UnsafeMutableRawBufferPointer) -> OutgoingMessage.Span {
        let start =
            switch frame[1] & 0x7f {
            case 126: 8
            case 127: 14
            default: 6
            }
        return OutgoingMessage.Span(
            opcode: frame[0] & 0xf, isFinal: frame[0] & 0x80 != 0, start: start, count: frame.count - start)
    }

    /// Section 5.3. The bytes of `mask` in memory are the masking key.
    static func apply(_ mask: UInt32, to payload: UnsafeMutableRawBufferPointer) {
        guard let start = payload.baseAddress else { return }
        let wide = SIMD4<UInt64>(repeating: UInt64(mask) << 32 | UInt64(mask))
        let size = MemoryLayout<SIMD4<UInt64>>.size
        var offset = 0
        while offset + size <= payload.count {
            let place = start + offset
            place.storeBytes(of: place.loadUnaligned(as: SIMD4<UInt64>.self) ^ wide, as: SIMD4<UInt64>.self)
            offset += size
        }
        while offset + 4 <= payload.count {
            let place = start + offset
            place.storeBytes(of: place.loadUnaligned(as: UInt32.self) ^ mask, as: UInt32.self)
            offset += 4
        }
        withUnsafeBytes(of: mask) { key in
            while offset < payload.count {
                payload[offset] ^= key[offset & 3]
                offset += 1
            }
        }
    }
}
