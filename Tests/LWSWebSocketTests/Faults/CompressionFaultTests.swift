// Servers that agree to compression and then do what lws's extension cannot take.

import HTTPTypes
import LWSServiceLoop
import TestConditions
import TestSupport
import Testing

@testable import LWSWebSocket

@Suite("A server that agrees to compression", .serialized, .needsCompression)
struct CompressionFaultTests {
    @Test("may send messages uncompressed, whole and in fragments, between compressed ones: each arrives once")
    func uncompressed() throws {
        let server = try DeflatePeer.server { peer in
            let connection = peer.connection
            connection.sendFrame(opcode: 1, Array("plain".utf8))
            peer.send(1, Array("compressed".utf8))
            connection.sendFrame(fin: false, opcode: 2, [1, 2])
            connection.sendFrame(fin: false, opcode: 0, [])
            connection.sendFrame(opcode: 9, [7])
            connection.sendFrame(opcode: 10, Array("pong in between".utf8))
            connection.sendFrame(fin: false, opcode: 0, [3])
            connection.sendFrame(opcode: 0, [4])
            connection.sendFrame(opcode: 1)
            connection.sendFrame(opcode: 2, [UInt8](repeating: 9, count: 60_000))
            peer.send(2, [UInt8](repeating: 8, count: 60_000), inFramesOf: 10)
            connection.sendFrame(opcode: 1, Array("last".utf8))
            peer.finish()
        }
        defer { server.stop() }
        let client = try WebSocketClient(server.url())
        #expect(try client.readTextMessage() == "plain")
        #expect(try client.readTextMessage() == "compressed")
        #expect(try client.readBinaryMessage() == [1, 2, 3, 4])
        #expect(try client.readTextMessage() == "")
        #expect(try client.readBinaryMessage() == [UInt8](repeating: 9, count: 60_000))
        #expect(try client.readBinaryMessage() == [UInt8](repeating: 8, count: 60_000))
        #expect(try client.readTextMessage() == "last")
        try client.close()
        #expect(failure { try client.readMessage() }?.code == .connectionClosure)
    }

    @Test("may send pongs with a payload: each arrives once, also inside a compressed message")
    func pongs() throws {
        final class Pongs: PingPongHandler {
            let seen = Locked<[[UInt8]]>([])
            let arrived = MonotonicSemaphore()
            func onPong(_ payload: [UInt8]) {
                seen.withLock { $0.append(payload) }
                arrived.signal()
            }
        }
        let server = try DeflatePeer.server { peer in
            peer.connection.sendFrame(opcode: 10, [1])
            let payload = peer.deflate.compress(Array("in two halves".utf8))
            peer.connection.sendFrame(fin: false, rsv: 4, opcode: 1, Array(payload.prefix(5)))
            peer.connection.sendFrame(opcode: 10, [UInt8](repeating: 2, count: 125))
            peer.connection.sendFrame(opcode: 0, Array(payload.dropFirst(5)))
            peer.connection.sendFrame(opcode: 10, [3])
            peer.connection.sendFrame(opcode: 10)
            peer.finish()
        }
        defer { server.stop() }
        var configuration = ClientConfiguration()
        let handler = Pongs()
        configuration.pingPongHandler = handler
        let client = try WebSocketClient(server.url(), configuration: configuration)
        #expect(try client.readTextMessage() == "in two halves")
        for _ in 0..<4 { #expect(handler.arrived.wait(until: Deadline(after: Timing.ages))) }
        try client.close()
        #expect(handler.seen.withLock { $0 } == [[1], [UInt8](repeating: 2, count: 125), [3], []])
    }

    @Test("may not list the extension more than once", arguments: [2, 3, 40, 200])
    func listedAgain(_ count: Int) throws {
        let list = Array(repeating: "permessage-deflate", count: count).joined(separator: ", ")
        let lines = Array(repeating: "Sec-WebSocket-Extensions: permessage-deflate", count: min(count, 40))
        for answer in [["Sec-WebSocket-Extensions: \(list)"], lines] {
            let server = try RawServer { peer in
                _ = try? peer.acceptUpgrade(extraHeaders: answer)
                peer.waitForEnd()
            }
            defer { server.stop() }
            let error = failure { try WebSocketClient(server.url()) }
            #expect(error?.code == .invalidHandshake)
            #expect(
                error?.description.contains("lists \(answer.count == 1 ? count : lines.count) extensions") == true)
        }
    }

    @Test(
        "may not answer anything but the offer",
        arguments: [
            "x-webkit-deflate-frame", "permessage-deflate; rx_buf_size=63",
            "permessage-deflate; server_max_window_bits",
            "permessage-deflate; client_max_window_bits=16", "permessage-deflate; tx_buf_size=1",
        ])
    func otherAnswers(_ answer: String) throws {
        let server = try RawServer { peer in
            _ = try? peer.acceptUpgrade(extraHeaders: ["Sec-WebSocket-Extensions: \(answer)"])
            peer.waitForEnd()
        }
        defer { server.stop() }
        let error = failure { try WebSocketClient(server.url()) }
        #expect(error?.code == .invalidHandshake)
        #expect(error?.httpResponse?.headerFields[.secWebSocketExtensions] == answer)
    }

    /// lws has made its extension by then, and forgets it: for the address sanitizer.
    @Test("and fails the handshake behind that leaves nothing behind")
    func failsLater() throws {
        let answer = ["Sec-WebSocket-Extensions: permessage-deflate", "Sec-WebSocket-Protocol: other"]
        for override in [nil, "d3Jvbmc="] {
            let server = try RawServer { peer in
                _ = try? peer.acceptUpgrade(extraHeaders: answer, acceptOverride: override)
                peer.waitForEnd()
            }
            defer { server.stop() }
            var configuration = ClientConfiguration()
            configuration.subProtocols = ["other", "one"]
            if override == nil { configuration.subProtocols = ["one"] }
            let error = failure { try WebSocketClient(server.url(), configuration: configuration) }
            #expect(error?.code == .invalidHandshake)
        }
    }

    @Test("may not hide what it lists in the first of two pieces of its answer", arguments: [2, 60])
    func hidden(_ count: Int) throws {
        let list = Array(repeating: "permessage-deflate", count: count).joined(separator: ", ")
        let server = try RawServer { peer in
            guard let head = try? peer.readRequestHead(), let key = RawConnection.field("Sec-WebSocket-Key", in: head)
            else { return }
            peer.send("HTTP/1.1 101 OK\r\nSec-WebSocket-Extensions: \(list)\r\nX-Foo: ")
            // So long that the client reads the first piece alone.
            _ = peer.isQuiet(for: .milliseconds(100))
            peer.send(
                "HTTP/1.1 101 OK\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                    + "Sec-WebSocket-Accept: \(RawConnection.accept(for: key))\r\n\r\n")
            peer.waitForEnd()
        }
        defer { server.stop() }
        let error = failure { try WebSocketClient(server.url()) }
        #expect(error?.code == .invalidHandshake)
        #expect(error?.description.contains("lists \(count) extensions") == true)
    }

    @Test("may not compress where nothing was offered")
    func notOffered() throws {
        let server = try DeflatePeer.server { peer in peer.finish() }
        defer { server.stop() }
        var configuration = ClientConfiguration()
        configuration.webSocketCompressionEnabled = false
        let error = failure { try WebSocketClient(server.url(), configuration: configuration) }
        #expect(error?.code == .invalidHandshake)
    }

    @Test("may send what inflates to any number of bytes behind a buffer's end")
    func bufferEnds() throws {
        // Around each of these lws's extension alone asserts or loses the end: its buffer is full when the input ends.
        var counts = Array(1000...1050) + Array(2040...2056) + Array(4080...4110) + Array(8180...8210)
        counts += (1...40).map { $0 * 4096 } + (1...40).map { $0 * 4096 + 258 } + [1 << 20, 10_000_001]
        let all = counts
        let server = try DeflatePeer.server { peer in
            for count in all {
                peer.send(2, [UInt8](repeating: 0, count: count))
                peer.send(1, [UInt8](repeating: 0x61, count: count), inFramesOf: 3)
            }
            peer.finish()
        }
        defer { server.stop() }
        let client = try WebSocketClient(server.url())
        for count in all {
            let bytes = try client.readBinaryMessage()
            #expect(bytes.count == count && bytes.allSatisfy { $0 == 0 })
            let text = try client.readTextMessage()
            #expect(text.utf8.count == count && text.utf8.allSatisfy { $0 == 0x61 })
        }
        try client.close()
    }

    @Test("may end a message with an empty frame")
    func emptyLastFrame() throws {
        let server = try DeflatePeer.server { peer in
            for count in [10, 4096, 100_000] {
                let payload = peer.deflate.compress([UInt8](repeating: 5, count: count))
                peer.connection.sendFrame(fin: false, rsv: 4, opcode: 2)
                peer.connection.sendFrame(fin: false, opcode: 0, payload)
                peer.connection.sendFrame(fin: false, opcode: 0)
                peer.connection.sendFrame(opcode: 0)
            }
            peer.send(2, [])
            peer.send(1, Array("end".utf8))
            peer.finish()
        }
        defer { server.stop() }
        let client = try WebSocketClient(server.url())
        for count in [10, 4096, 100_000] {
            #expect(try client.readBinaryMessage() == [UInt8](repeating: 5, count: count))
        }
        #expect(try client.readBinaryMessage() == [])
        #expect(try client.readTextMessage() == "end")
        try client.close()
    }

    @Test("and breaks its rules gets a close frame that says so, and the reader a typed error")
    func broken() throws {
        let cases: [(String, code: Int, @Sendable (DeflatePeer) -> Void)] = [
            ("garbage", 1007, { $0.sendPayload(2, [0xff, 0xff, 0xff, 0xff]) }),
            ("nothing", 1007, { $0.sendPayload(2, []) }),
            ("RSV2", 1002, { $0.connection.sendFrame(rsv: 6, opcode: 2, $0.deflate.compress([1])) }),
            ("RSV3, not compressed", 1002, { $0.connection.sendFrame(rsv: 1, opcode: 2, [1]) }),
            ("RSV1 on a pong", 1002, { $0.connection.sendFrame(rsv: 4, opcode: 10, [1]) }),
            (
                "RSV1 on a continuation", 1002,
                {
                    let payload = $0.deflate.compress([1, 2, 3, 4, 5, 6, 7, 8])
                    $0.connection.sendFrame(fin: false, rsv: 4, opcode: 2, Array(payload.prefix(4)))
                    $0.connection.sendFrame(rsv: 4, opcode: 0, Array(payload.dropFirst(4)))
                }
            ),
            (
                "RSV1 on the continuation of an uncompressed message", 1002,
                {
                    $0.connection.sendFrame(fin: false, opcode: 2, [1])
                    $0.connection.sendFrame(rsv: 4, opcode: 0, $0.deflate.compress([1]))
                }
            ),
            ("no UTF-8", 1007, { $0.send(1, [0xc3, 0x28]) }),
        ]
        for (name, code, script) in cases {
            let answer = Locked<Int?>(nil)
            let ended = MonotonicSemaphore()
            let server = try DeflatePeer.server { peer in
                peer.send(1, Array("before".utf8))
                script(peer)
                peer.send(1, Array("never seen".utf8))
                let closeFrame = try? peer.connection.readFrame()
                answer.withLock { $0 = closeFrame?.closeCode }
                ended.signal()
            }
            defer { server.stop() }
            let client = try WebSocketClient(server.url())
            #expect(try client.readTextMessage() == "before")
            #expect(failure { try client.readMessage() }?.code == .corruptedFrame, "\(name)")
            #expect(ended.wait(until: Deadline(after: Timing.ages)))
            #expect(answer.withLock { $0 } == code, "\(name)")
        }
    }
}
