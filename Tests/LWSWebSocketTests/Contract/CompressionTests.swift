// The contract's webSocketCompressionEnabled, and the options beside it, on the wire.

import HTTPTypes
import LWSEchoServer
import LWSServiceLoop
import TestConditions
import TestSupport
import Testing

@testable import LWSWebSocket

@Suite("Compression", .serialized, .needsCompression)
struct CompressionTests {
    /// The handshake's request, of a client with this configuration.
    private func request(_ configuration: ClientConfiguration) throws -> String {
        let heads = Locked<[String]>([])
        let server = try RawServer { peer in
            let head = (try? peer.acceptUpgrade()) ?? ""
            heads.withLock { $0.append(head) }
            peer.waitForEnd()
        }
        _ = try WebSocketClient(server.url(), configuration: configuration)
        // Waits for the script, which may not have come to the request yet when the client has its answer.
        server.stop()
        return heads.withLock { $0.first ?? "" }
    }

    @Test("is offered by default, with what is set, and not at all where it is off")
    func offer() throws {
        var configuration = ClientConfiguration()
        #expect(configuration.webSocketCompressionEnabled)
        #expect(
            try request(configuration).contains(
                "\r\nSec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n"))
        configuration.compression.serverNoContextTakeover = true
        configuration.compression.serverMaxWindowBits = 12
        configuration.compression.clientMaxWindowBits = 9
        #expect(
            try request(configuration).contains(
                "\r\nSec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover; "
                    + "server_max_window_bits=12; client_max_window_bits=9\r\n"))
        configuration.webSocketCompressionEnabled = false
        #expect(try !request(configuration).lowercased().contains("extensions"))
    }

    @Test("is not used where the server declines")
    func declined() throws {
        let catcher = try FrameCatcher()
        let client = try WebSocketClient(catcher.server.url())
        let text = String(repeating: "compressible ", count: 100)
        try client.writeTextMessage(text)
        let frame = try #require(try catcher.next(1).first)
        #expect(frame.rsv == 0)
        #expect(frame.text == text)
    }

    @Test(
        "marks the first frame of a message alone, and keeps frames under maxFrameSize", arguments: [1, 100, 65536])
    func frames(_ maxFrameSize: Int) throws {
        let seen = Locked<[(frames: [RawFrame], bytes: [UInt8]?)]>([])
        let done = MonotonicSemaphore()
        let server = try DeflatePeer.server { peer in
            for _ in 0..<4 {
                let message = try peer.read()
                seen.withLock { $0.append(message) }
            }
            done.signal()
            peer.finish()
        }
        defer { server.stop() }
        var configuration = ClientConfiguration()
        configuration.maxFrameSize = maxFrameSize
        let client = try WebSocketClient(server.url(), configuration: configuration)
        var random = SeededGenerator(seed: 1)
        let count = maxFrameSize == 1 ? 3000 : 200_000
        let messages = [
            Array(String(repeating: "grüße ", count: 1000).utf8), random.bytes(count), [],
            [UInt8](repeating: 0, count: count),
        ]
        try client.writeTextMessage(String(decoding: messages[0], as: UTF8.self))
        for message in messages.dropFirst() { try client.writeBinaryMessage(message) }
        #expect(done.wait(until: Deadline(after: Timing.ages)))
        let all = seen.withLock { $0 }
        for (message, wire) in zip(messages, all) {
            #expect(wire.bytes == message)
            #expect(wire.frames.allSatisfy { $0.payload.count <= maxFrameSize })
            #expect(wire.frames.dropFirst().allSatisfy { $0.rsv == 0 && $0.opcode == 0 })
        }
        #expect(all.map { $0.frames[0].opcode } == [1, 2, 2, 2])
        // An empty message is not compressed: lws's extension cannot.
        #expect(all.map { $0.frames[0].rsv } == [4, 4, 0, 4])
        try client.close()
    }

    @Test("forgets between messages what was agreed to be forgotten", arguments: [false, true])
    func noContextTakeover(_ isOn: Bool) throws {
        let sizes = Locked<[Int]>([])
        let server = try DeflatePeer.server(isOn ? "; client_no_context_takeover; server_no_context_takeover" : "") {
            peer in
            for _ in 0..<3 {
                let message = try peer.read()
                sizes.withLock { $0.append(message.frames.reduce(0) { $0 + $1.payload.count }) }
                peer.send(2, message.bytes ?? [])
                guard isOn else { continue }
                peer.deflate.forgetReceived()
                peer.deflate.forgetSent()
            }
            peer.finish()
        }
        defer { server.stop() }
        var configuration = ClientConfiguration()
        configuration.compression.clientNoContextTakeover = isOn
        let client = try WebSocketClient(server.url(), configuration: configuration)
        var random = SeededGenerator(seed: 2)
        let message = random.bytes(5000)
        for _ in 0..<3 {
            try client.writeBinaryMessage(message)
            #expect(try client.readBinaryMessage() == message)
        }
        let all = sizes.withLock { $0 }
        #expect(all[0] >= 5000)
        // With its memory of the first one a repeated message takes some dozen bytes.
        #expect(all.dropFirst().allSatisfy { isOn ? $0 >= 5000 : $0 < 500 }, "\(all)")
        try client.close()
    }

    @Test("takes as much work as the level says")
    func level() throws {
        var sizes: [Int] = []
        for level in [1, 6, 9] {
            let size = Locked(0)
            let server = try DeflatePeer.server { peer in
                let message = try peer.read()
                size.withLock { $0 = message.frames.reduce(0) { $0 + $1.payload.count } }
                peer.send(1, message.bytes ?? [])
                peer.finish()
            }
            defer { server.stop() }
            var configuration = ClientConfiguration()
            configuration.compression.level = level
            let client = try WebSocketClient(server.url(), configuration: configuration)
            let text = (0..<4000).map { "\($0 % 97) \($0 * 7919 % 1013) " }.joined()
            try client.writeTextMessage(text)
            #expect(try client.readTextMessage() == text)
            try client.close()
            sizes.append(size.withLock { $0 })
        }
        #expect(sizes[0] > sizes[1] && sizes[1] >= sizes[2], "\(sizes)")
    }

    @Test("leaves messages uncompressed for a server that wants a window of 8 bits")
    func smallestWindow() throws {
        let server = try DeflatePeer.server("; client_max_window_bits=8") { peer in
            let frame = try peer.connection.readFrame()
            peer.connection.sendFrame(rsv: 0, opcode: 1, [frame.rsv] + frame.payload)
            peer.finish()
        }
        defer { server.stop() }
        let client = try WebSocketClient(server.url())
        try client.writeTextMessage("plain")
        #expect(try client.readTextMessage() == "\u{0}plain")
        try client.close()
    }

    @Test("works with the bundled server, pings in between, and frames that follow the answer at once")
    func bundledServer() throws {
        let server = try EchoServer()
        let client = try WebSocketClient(server.url())
        #expect(client.httpResponse?.headerFields[.secWebSocketExtensions] == "permessage-deflate")
        for size in [0, 1, 0, 0, 125, 65536, 1 << 20] {
            let text = String(repeating: "x", count: size)
            try client.writeTextMessage(text)
            try client.ping([1])
            #expect(try client.readTextMessage() == text)
        }
        let pushed = try WebSocketClient(server.url("/push/50/20000"))
        for index in 0..<50 { #expect(try pushed.readBinaryMessage()[0] == UInt8(index)) }
        try pushed.close()
        try client.close()
    }

    @Test("of clients on one loop is kept apart, though what they send has to wait")
    func together() throws {
        let server = try EchoServer()
        let loop = WebSocketLoop()
        var configuration = ClientConfiguration()
        (configuration.maxFrameSize, configuration.readTimeout) = (4096, Timing.ages)
        // The server reads no more while it echoes, so that of a part that was compressed only some frames can leave.
        var random = SeededGenerator(seed: 11)
        let messages = (0..<4).map { _ in random.bytes(1 << 20) }
        let exchanges = try (0..<3).map { _ in
            let client = try WebSocketClient(
                server.url("/fragments/1024"), configuration: configuration, loop: loop)
            return try Background {
                let writer = try Background {
                    for message in messages { try client.writeBinaryMessage(message) }
                }
                var wrong = 0
                for message in messages where try client.readBinaryMessage() != message { wrong += 1 }
                try writer.value(within: .seconds(300))
                try client.close()
                return wrong
            }
        }
        for exchange in exchanges { #expect(try exchange.value(within: .seconds(300)) == 0) }
    }

    @Test("is kept apart by concurrent writers, whose messages arrive whole and in the order of each")
    func concurrentWriters() throws {
        let (writers, count) = (8, 60)
        let messages = Locked<[[UInt8]?]>([])
        let done = MonotonicSemaphore()
        let server = try DeflatePeer.server { peer in
            for _ in 0..<(writers * count) {
                let message = try peer.read()
                messages.withLock { $0.append(message.bytes) }
            }
            done.signal()
            peer.finish()
        }
        defer { server.stop() }
        let client = try WebSocketClient(server.url())
        let writing = try (0..<writers).map { writer in
            try Background {
                var random = SeededGenerator(seed: UInt64(writer))
                for index in 0..<count {
                    // The buffer is this thread's again as soon as the call returns, and is written over.
                    var bytes = [UInt8(writer), UInt8(index)] + random.bytes(Int(random.next() % 3000))
                    bytes += [UInt8](repeating: UInt8(writer), count: Int(random.next() % 90_000))
                    try client.writeBinaryMessage(bytes)
                    for place in bytes.indices.prefix(100) { bytes[place] = 0xee }
                    if index % 7 == 0 { try client.ping([UInt8(index)]) }
                }
            }
        }
        for writer in writing { try writer.value() }
        #expect(done.wait(until: Deadline(after: Timing.ages)))
        var next = [Int](repeating: 0, count: writers)
        for message in messages.withLock({ $0 }) {
            let bytes = try #require(message)
            let writer = Int(bytes[0])
            try #require(writer < writers)
            #expect(Int(bytes[1]) == next[writer])
            next[writer] += 1
        }
        #expect(next == [Int](repeating: count, count: writers))
        try client.close()
    }
}
