// One frame on its way to a client.

import CLibWebSockets
import LWSServiceLoop

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
