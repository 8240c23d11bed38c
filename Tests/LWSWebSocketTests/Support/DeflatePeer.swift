// A scripted server that agrees to compression.

import LWSServiceLoop
import TestSupport

@testable import LWSWebSocket

/// What a script does with a connection that compresses.
final class DeflatePeer {
    let connection: RawConnection
    let deflate: RawDeflate

    init(_ connection: RawConnection, windowBits: Int32 = 15) {
        self.connection = connection
        deflate = RawDeflate(windowBits: windowBits)
    }

    /// A server that agrees to compression with these parameters and then runs `script`.
    static func server(
        _ parameters: String = "", _ script: @escaping @Sendable (DeflatePeer) throws -> Void
    ) throws -> RawServer {
        try RawServer { connection in
            _ = try? connection.acceptUpgrade(
                extraHeaders: ["Sec-WebSocket-Extensions: permessage-deflate\(parameters)"])
            try? script(DeflatePeer(connection))
        }
    }

    /// Sends a compressed message in frames of at most `size` bytes.
    func send(_ opcode: UInt8, _ bytes: [UInt8], inFramesOf size: Int = .max) {
        sendPayload(opcode, deflate.compress(bytes), inFramesOf: size)
    }

    /// The same with a payload that is compressed already.
    func sendPayload(_ opcode: UInt8, _ payload: [UInt8], inFramesOf size: Int = .max) {
        var rest = payload[...]
        repeat {
            let part = Array(rest.prefix(size))
            rest = rest.dropFirst(part.count)
            let isFirst = part.count + rest.count == payload.count
            connection.sendFrame(fin: rest.isEmpty, rsv: isFirst ? 4 : 0, opcode: isFirst ? opcode : 0, part)
        } while !rest.isEmpty
    }

    /// The frames of the next message, without the control frames in between, and what they decompress to.
    func read() throws -> (frames: [RawFrame], bytes: [UInt8]?) {
        var frames: [RawFrame] = []
        repeat {
            let frame = try connection.readFrame()
            if frame.opcode < 8 { frames.append(frame) }
        } while frames.last?.fin != true
        let payload = frames.flatMap(\.payload)
        return (frames, frames[0].rsv == 4 ? deflate.decompress(payload) : payload)
    }

    /// Answers a close frame, and reads past everything before it.
    func finish() {
        while let frame = try? connection.readFrame() {
            if frame.opcode == 8 { connection.sendFrame(opcode: 8, frame.payload) }
        }
    }
}
