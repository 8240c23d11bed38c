// Frames on their way to a client, and those that a server sends without having been asked.

import CLibWebSockets
import LWSServiceLoop

/// What a server sends on its own account, made frame by frame so that nothing of it waits in memory.
struct FrameScript {
    enum Step {
        case frame(OutgoingFrame)
        /// Nothing before the pong of the last ping has come.
        case wait
        case done
    }

    private enum State {
        case push(next: Int, count: Int, size: Int)
        case ping(next: Int, count: Int, isAnswered: Bool)
        case fragments(message: ArraySlice<UInt8>, kind: OutgoingFrame.Kind, left: Int)
        case single(OutgoingFrame)
        case done
    }

    private var state: State

    private init(_ state: State) { self.state = state }

    static func push(count: Int, size: Int) -> FrameScript { FrameScript(.push(next: 0, count: count, size: size)) }
    static func ping(count: Int) -> FrameScript { FrameScript(.ping(next: 0, count: count, isAnswered: true)) }
    static func single(_ frame: OutgoingFrame) -> FrameScript { FrameScript(.single(frame)) }
    static func fragments(of message: OutgoingFrame, count: Int) -> FrameScript {
        let payload = message.bytes.dropFirst(OutgoingFrame.headroom)
        return FrameScript(.fragments(message: payload, kind: message.kind, left: count))
    }

    /// Whether the next step is to wait.
    var isWaiting: Bool {
        if case .ping(_, _, isAnswered: false) = state { true } else { false }
    }

    mutating func next() -> Step {
        switch state {
        case .push(let next, let count, let size): return push(next, count, size)
        case .ping(let next, let count, let isAnswered): return ping(next, count, isAnswered)
        case .fragments(let message, let kind, let left): return fragment(message, kind, left)
        case .single(let frame):
            state = .done
            return .frame(frame)
        case .done: return .done
        }
    }

    /// Takes note of a pong. Returns whether it answers the last ping.
    mutating func pongArrived(_ payload: UnsafeRawBufferPointer) -> Bool {
        guard case .ping(let next, let count, isAnswered: false) = state,
            payload.elementsEqual(Self.pingPayload(next - 1))
        else { return false }
        state = .ping(next: next, count: count, isAnswered: true)
        return true
    }

    private mutating func push(_ index: Int, _ count: Int, _ size: Int) -> Step {
        guard index < count else { return .done }
        state = .push(next: index + 1, count: count, size: size)
        let first = UInt8(truncatingIfNeeded: index)
        let payload = [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
            var byte = first
            for position in 0..<size {
                buffer[position] = byte
                byte &+= 1
            }
            count = size
        }
        return .frame(OutgoingFrame(payload, .binary))
    }

    private mutating func ping(_ index: Int, _ count: Int, _ isAnswered: Bool) -> Step {
        guard isAnswered else { return .wait }
        guard index < count else {
            state = .done
            return .frame(OutgoingFrame("pongs: \(count)".utf8, .text))
        }
        state = .ping(next: index + 1, count: count, isAnswered: false)
        return .frame(OutgoingFrame(Self.pingPayload(index), .ping))
    }

    private static func pingPayload(_ index: Int) -> String.UTF8View { "ping-\(index)".utf8 }

    /// Cuts off what is left divided by the fragments left, so that the sizes differ by one byte at most.
    private mutating func fragment(_ message: ArraySlice<UInt8>, _ kind: OutgoingFrame.Kind, _ left: Int) -> Step {
        let size = message.count / left
        let isFinal = left == 1
        let rest = message.dropFirst(size)
        state = isFinal ? .done : .fragments(message: rest, kind: .continuation, left: left - 1)
        return .frame(OutgoingFrame(message.prefix(size), kind, isFinal: isFinal))
    }
}

// MARK: - One frame on its way to a client

/// One frame on its way to a client, with the room in front of its payload that lws writes the header into.
struct OutgoingFrame {
    enum Kind {
        case text, binary, continuation, ping
    }

    private(set) var bytes: [UInt8]
    let kind: Kind
    let isFinal: Bool

    /// Bytes in front of the payload that belong to lws.
    static let headroom = clws_pre

    /// Takes bytes that begin with the headroom.
    init(withHeadroom bytes: [UInt8], _ kind: Kind, isFinal: Bool) {
        self.bytes = bytes
        self.kind = kind
        self.isFinal = isFinal
    }

    init(_ payload: some Collection<UInt8>, _ kind: Kind, isFinal: Bool = true) {
        var bytes = [UInt8]()
        bytes.reserveCapacity(Self.headroom + payload.count)
        bytes.append(contentsOf: repeatElement(0, count: Self.headroom))
        bytes.append(contentsOf: payload)
        self.init(withHeadroom: bytes, kind, isFinal: isFinal)
    }

    var payloadCount: Int { bytes.count - Self.headroom }

    /// Hands the frame to lws, which sends it, or keeps a copy of what the socket did not take. Returns false where
    /// the connection is of no use any more.
    mutating func write(to wsi: OpaquePointer, _ held: borrowing HeldLoop) -> Bool {
        let count = payloadCount
        let type = writeType
        return bytes.withUnsafeMutableBufferPointer { buffer in
            guard let start = buffer.baseAddress else { return false }
            return lws_write(wsi, start + Self.headroom, count, type) >= 0
        }
    }

    private var writeType: lws_write_protocol {
        let type =
            switch kind {
            case .text: LWS_WRITE_TEXT
            case .binary: LWS_WRITE_BINARY
            case .continuation: LWS_WRITE_CONTINUATION
            case .ping: LWS_WRITE_PING
            }
        return isFinal ? type : lws_write_protocol(rawValue: type.rawValue | LWS_WRITE_NO_FIN.rawValue)
    }
}
