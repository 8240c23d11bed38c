// What a client may send behind its request, whatever comes from the server.

import TestSupport

/// Frames from a client, which have to be as RFC 6455 wants them. The last may be cut.
struct ClientFrames {
    private var frames: [RawFrame]
    private let mayCompress: Bool

    /// - Parameters:
    ///   - frames: those that have been read.
    ///   - rest: what came behind them.
    init(_ frames: [RawFrame], _ rest: [UInt8], mayCompress: Bool) {
        struct Cut: Error {}
        self.frames = frames
        self.mayCompress = mayCompress
        var rest = rest[...]
        while let frame = try? RawFrame(reading: { count in
            guard (0...rest.count).contains(count) else { throw Cut() }
            defer { rest = rest.dropFirst(count) }
            return Array(rest.prefix(count))
        }) {
            self.frames.append(frame)
        }
    }

    /// What is wrong with them; `nil` where nothing is.
    /// - Parameter pings: those that the client may have seen, where they are known.
    func fault(pings: [[UInt8]]?) -> String? {
        var isWithinMessage = false
        for (index, frame) in frames.enumerated() {
            let words = "frame \(index) of the client (opcode \(frame.opcode), \(frame.payload.count) bytes)"
            guard frame.masked else { return "\(words) is not masked (RFC 6455, section 5.1)" }
            let isData = [1, 2].contains(frame.opcode)
            guard frame.rsv == 0 || (frame.rsv == 4 && isData && mayCompress) else { return "\(words) has RSV bits" }
            switch frame.opcode {
            case 0 where isWithinMessage, 1 where !isWithinMessage, 2 where !isWithinMessage:
                isWithinMessage = !frame.fin
            case 8, 9, 10:
                guard frame.fin, frame.payload.count <= 125 else { return "\(words) is no control frame" }
                guard frame.opcode == 8 else { break }
                if let fault = closeFault(frame) { return "\(words): \(fault)" }
                // Pings are answered all the same, until the peer has closed, too (section 5.5.2).
                if let next = frames[(index + 1)...].first(where: { $0.opcode != 10 }) {
                    return "a frame (opcode \(next.opcode), \(next.payload.prefix(40))) follows the close frame "
                        + "\(frame.closeCode ?? 0) (section 5.5.1)"
                }
            default: return "\(words) does not belong there"
            }
        }
        return pings.flatMap(pongFault)
    }

    private func closeFault(_ frame: RawFrame) -> String? {
        guard !frame.payload.isEmpty else { return nil }
        guard let code = frame.closeCode else { return "a close frame of one byte" }
        guard (CloseCodes.areSent + CloseCodes.areRegistered).contains(where: { $0.contains(code) }) else {
            return "no code of a close frame: \(code)"
        }
        return String(validating: frame.payload.dropFirst(2), as: UTF8.self) == nil ? "the reason is no UTF-8" : nil
    }

    /// Pongs answer pings in their order; of many, some may have none (section 5.5.3).
    private func pongFault(_ pings: [[UInt8]]) -> String? {
        var open = pings[...]
        for pong in frames where pong.opcode == 10 {
            guard let place = open.firstIndex(of: pong.payload) else {
                return "a pong of \(pong.payload.count) bytes answers none of the pings that are left"
            }
            open = open[(place + 1)...]
        }
        return nil
    }
}
