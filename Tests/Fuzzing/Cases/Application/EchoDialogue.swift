// A scripted server that echoes, frame for frame.

import LWSWebSocket
import TestSupport

extension Play {
    /// Judges the request, opens the connection, and echoes what comes until the client closes or goes.
    /// - Parameter largest: the longest payload that the client's frames may have.
    static func echoing(largest: Int, _ judge: @escaping @Sendable (_ request: String) -> String?) -> Play {
        var play = Play { _ in [] }
        play.dialogue = { peer, request in
            if let fault = judge(request) { return fault }
            let offered = RawConnection.field("Sec-WebSocket-Protocol", in: request)
            let chosen = offered.map { ["Sec-WebSocket-Protocol: \($0.prefix { $0 != "," })"] } ?? []
            peer.send(upgrade(request, chosen))
            var seen: [RawFrame] = []
            while let frame = try? peer.readFrame() {
                guard frame.payload.count <= max(largest, 125) else {
                    return "a frame of \(frame.payload.count) bytes, where \(largest) are allowed"
                }
                seen.append(
                    RawFrame(
                        fin: frame.fin, rsv: frame.rsv, opcode: frame.opcode, masked: frame.masked,
                        payload: frame.opcode < 8 ? [] : frame.payload))
                let opcode = frame.opcode == 9 ? 10 : frame.opcode
                if frame.opcode != 10 { peer.sendFrame(fin: frame.fin, opcode: opcode, frame.payload) }
                guard frame.opcode != 8 else { break }
            }
            peer.endOutput()
            return ClientFrames(seen, peer.readUntilEnd(), mayCompress: false).fault(pings: nil)
        }
        return play
    }
}
