// Short ways to a server and to clients of it.

import LWSEchoServer
import TestSupport

/// What a server that stops waits for clients that do not answer its close frame.
let farewell = Duration.seconds(1)

/// What lws waits for the end of a connection whose close frame it has sent, where nobody tells it not to.
let lwsCloseWait = Duration.seconds(5)

extension EchoServer {
    /// A client that looks at every byte, connected and upgraded.
    func rawClient(_ path: String = "/echo", headers: [String] = []) throws -> RawClient {
        try RawClient(upgradedTo: path, host: address, port: port, headers: headers)
    }

    /// The answer to an upgrade that is refused.
    func refusal(of path: String, headers: [String] = []) throws -> RawClient.Refusal {
        let client = try RawClient(host: address, port: port)
        client.sendUpgrade(path, headers: headers)
        return try client.readRefusal()
    }

    private var address: String { url().contains("[::1]") ? "::1" : "127.0.0.1" }
}

extension RawFrame {
    static func text(_ text: String, fin: Bool = true) -> RawFrame {
        RawFrame(fin: fin, opcode: 1, payload: Array(text.utf8))
    }

    static func binary(_ payload: [UInt8], fin: Bool = true) -> RawFrame {
        RawFrame(fin: fin, opcode: 2, payload: payload)
    }

    static func continuation(_ payload: [UInt8], fin: Bool = true) -> RawFrame {
        RawFrame(fin: fin, opcode: 0, payload: payload)
    }

    static func ping(_ text: String) -> RawFrame { RawFrame(opcode: 9, payload: Array(text.utf8)) }
    static func pong(_ text: String) -> RawFrame { RawFrame(opcode: 10, payload: Array(text.utf8)) }

    static func close(_ code: Int, _ reason: String = "") -> RawFrame {
        RawFrame(opcode: 8, payload: [UInt8(code >> 8), UInt8(code & 0xFF)] + reason.utf8)
    }
}

/// Bytes that repeat after 997 only, which divides no size of a buffer: a part that is lost or moved shows.
func pattern(_ count: Int) -> [UInt8] {
    let period = (0..<min(count, 997)).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(count + period.count)
    while bytes.count < count { bytes += period }
    bytes.removeLast(bytes.count - count)
    return bytes
}
