// The echo of compressed frames, byte for byte (RFC 7692).

import LWSEchoServer
import TestConditions
import TestSupport
import Testing

@Suite("The echo of compressed frames", .serialized, .needsCompression)
struct CompressedFrameTests {
    private static let offer = "Sec-WebSocket-Extensions: permessage-deflate"
    /// "Hello", as in RFC 7692, section 7.2.3.1.
    private static let hello: [UInt8] = [0xF2, 0x48, 0xCD, 0xC9, 0xC9, 0x07, 0x00]

    @Test("is compressed, and its window goes on over messages")
    func contextTakeover() throws {
        let server = try EchoServer()
        let client = try server.rawClient(headers: [Self.offer])
        let frame = RawFrame(rsv: 4, opcode: 1, payload: Self.hello)
        client.send(frame, key: [9, 8, 7, 6])
        #expect(try client.readFrame() == frame)
        // The same again, as a reference to what was sent before (section 7.2.3.2).
        client.send(RawFrame(rsv: 4, opcode: 1, payload: [0xF2, 0x00, 0x11, 0x00, 0x00]))
        let second = try client.readFrame()
        #expect(second.rsv == 4)
        #expect(second.payload.count < Self.hello.count)
    }

    @Test("keeps the boundaries of fragments, and marks the first alone")
    func fragments() throws {
        let server = try EchoServer()
        let client = try server.rawClient(headers: [Self.offer])
        client.send(
            RawFrame(fin: false, rsv: 4, opcode: 1, payload: Array(Self.hello[..<3])), .ping("between"),
            RawFrame(fin: false, opcode: 0), RawFrame(opcode: 0, payload: Array(Self.hello[3...])))
        let frames = try (0..<4).map { _ in try client.readFrame() }
        let data = frames.filter { $0.opcode != 10 }
        #expect(frames.contains(.pong("between")))
        #expect(data.map(\.opcode) == [1, 0, 0])
        #expect(data.map(\.rsv) == [4, 0, 0])
        #expect(data.map(\.fin) == [false, false, true])
    }

    @Test("says in the handshake what was agreed to")
    func negotiation() throws {
        let server = try EchoServer()
        func agreed(_ offer: String) throws -> String? {
            let client = try RawClient(port: server.port)
            client.sendUpgrade("/echo", headers: ["Sec-WebSocket-Extensions: \(offer)"])
            return RawConnection.field("Sec-WebSocket-Extensions", in: try client.readUpgrade())
        }
        #expect(try agreed("permessage-deflate") == "permessage-deflate")
        #expect(try agreed("permessage-deflate; client_max_window_bits") == "permessage-deflate")
        let both = try agreed("permessage-deflate; server_no_context_takeover; client_no_context_takeover")
        #expect(both?.contains("server_no_context_takeover") == true)
        #expect(both?.contains("client_no_context_takeover") == true)
        #expect(try agreed("permessage-deflate; server_max_window_bits=10")?.contains("bits=10") == true)
        for declined in ["x-unknown", "permessage-deflate; server_max_window_bits=8", "permessage-deflate; x=1"] {
            #expect(try agreed(declined) == nil, "\(declined)")
        }
        #expect(try agreed("permessage-deflate; x=1, permessage-deflate") == "permessage-deflate")
    }

    @Test("does not happen where the server has compression off, or nobody offered it")
    func off() throws {
        let server = try EchoServer(.init(isCompressionEnabled: false))
        let client = try RawClient(port: server.port)
        client.sendUpgrade("/echo", headers: [Self.offer])
        #expect(RawConnection.field("Sec-WebSocket-Extensions", in: try client.readUpgrade()) == nil)
        client.send(.text("plain"))
        #expect(try client.readFrame() == .text("plain"))
        // A bit that nothing gives a meaning to is an error.
        client.send(RawFrame(rsv: 4, opcode: 1, payload: Self.hello))
        #expect(try client.readFrame().closeCode == 1002)
    }

    @Test("ends where the data cannot be inflated")
    func garbage() throws {
        let server = try EchoServer()
        let client = try server.rawClient(headers: [Self.offer])
        client.send(RawFrame(rsv: 4, opcode: 2, payload: [0xFF, 0xFF, 0xFF, 0xFF]))
        #expect(try client.readFrame().closeCode == 1007)
        // The server lives on.
        let next = try server.rawClient(headers: [Self.offer])
        next.send(RawFrame(rsv: 4, opcode: 1, payload: Self.hello))
        #expect(try next.readFrame().payload == Self.hello)
    }
}
