// The paths on which the server sends of its own accord.

import Foundation
import LWSEchoServer
import LWSWebSocket
import TestSupport
import Testing

@Suite("Paths that send", .serialized)
struct SendingPathTests {
    private let server: EchoServer

    init() throws {
        server = try EchoServer()
    }

    @Test(
        "/push sends its messages in order, then echoes",
        arguments: [(0, 5), (1, 0), (3, 1), (300, 10), (5, 300), (5, 100_000)])
    func push(count: Int, size: Int) throws {
        let client = try server.rawClient("/push/\(count)/\(size)")
        for index in 0..<count {
            let expected = (0..<size).map { UInt8(truncatingIfNeeded: index + $0) }
            #expect(try client.readFrame() == .binary(expected))
        }
        client.send(.text("echo"))
        #expect(try client.readFrame() == .text("echo"))
    }

    @Test("/push keeps what a client sends meanwhile for afterwards, and answers its pings and its close")
    func pushAndEcho() throws {
        let client = try server.rawClient("/push/1000/1000")
        client.send(.text("one", fin: false), .continuation([1]), .ping("now"), .text("two"))
        let frames = try (0..<1004).map { _ in try client.readFrame() }
        #expect(frames.filter { $0.opcode == 2 }.map { $0.payload.first } == (0..<1000).map { UInt8($0 & 0xFF) })
        #expect(frames.contains(.pong("now")))
        let echoed = frames.filter { $0.opcode == 1 || $0.opcode == 0 }
        #expect(echoed == [.text("one", fin: false), .continuation([1]), .text("two")])
        client.send(.close(1000, "done"))
        #expect(try client.readFrame() == .close(1000, "done"))
    }

    @Test("/push reaches the library's client")
    func pushSeen() throws {
        let client = try WebSocketClient(server.url("/push/300/500"))
        for index in 0..<300 {
            #expect(try client.readBinaryMessage() == (0..<500).map { UInt8(truncatingIfNeeded: index + $0) })
        }
        try client.close()
    }

    @Test("/ping sends each ping after the pong before, then tells how many, then echoes")
    func ping() throws {
        let client = try server.rawClient("/ping/3")
        for index in 0..<3 {
            #expect(try client.readFrame() == .ping("ping-\(index)"))
            client.send(.pong("something else"), .pong(""))
            #expect(client.connection.isQuiet(for: .milliseconds(30)))
            client.send(.pong("ping-\(index)"))
        }
        #expect(try client.readFrame() == .text("pongs: 3"))
        client.send(.binary([1]))
        #expect(try client.readFrame() == .binary([1]))
    }

    @Test("/ping gets its pongs from the library's client", arguments: [0, 1, 500])
    func pingSeen(count: Int) throws {
        let client = try WebSocketClient(server.url("/ping/\(count)"))
        #expect(try client.readTextMessage() == "pongs: \(count)")
    }

    @Test("/fragments sends each message back in n fragments of equal size", arguments: [1, 2, 3, 10])
    func fragments(count: Int) throws {
        let client = try server.rawClient("/fragments/\(count)")
        for message in [RawFrame.text("0123456789abc"), .binary(pattern(100_000)), .text(""), .text("ab")] {
            client.send(message)
            let frames = try (0..<count).map { _ in try client.readFrame() }
            #expect(frames.flatMap(\.payload) == message.payload)
            #expect(frames.map(\.opcode) == [message.opcode] + [UInt8](repeating: 0, count: count - 1))
            #expect(frames.map(\.fin) == [Bool](repeating: false, count: count - 1) + [true])
            let sizes = frames.map(\.payload.count)
            #expect((sizes.max() ?? 0) - (sizes.min() ?? 0) <= 1)
        }
    }

    @Test("/fragments joins fragments first, and keeps messages that arrive together apart")
    func fragmentsOfFragments() throws {
        let client = try server.rawClient("/fragments/2")
        client.send(
            .text("abc", fin: false), .ping("x"), .continuation([]), .binary([1, 2], fin: false),
            .continuation([3, 4]), .text("last"))
        let frames = try (0..<7).map { _ in try client.readFrame() }
        #expect(frames.contains(.pong("x")))
        let data = frames.filter { $0.opcode != 10 }
        #expect(data.map(\.opcode) == [1, 0, 2, 0, 1, 0])
        #expect(data.map(\.fin) == [false, true, false, true, false, true])
        let messages = stride(from: 0, to: 6, by: 2).map { data[$0].payload + data[$0 + 1].payload }
        #expect(messages == [Array("abc".utf8), [1, 2, 3, 4], Array("last".utf8)])
    }

    @Test("/headers sends the request's headers as JSON, then echoes")
    func headers() throws {
        let client = try server.rawClient(
            "/headers",
            headers: ["User-Agent: test \"quoted\" \\ end", "Cookie: a=b; c=d", "Origin: http://ü.example"])
        let frame = try client.readFrame()
        #expect(frame.opcode == 1)
        let pairs = try JSONDecoder().decode([[String]].self, from: Data(frame.payload))
        #expect(pairs.contains(["user-agent", "test \"quoted\" \\ end"]))
        #expect(pairs.contains(["cookie", "a=b; c=d"]))
        #expect(pairs.contains(["origin", "http://ü.example"]))
        #expect(pairs.contains(["host", "127.0.0.1"]))
        #expect(pairs.contains(["sec-websocket-version", "13"]))
        client.send(.text("then"))
        #expect(try client.readFrame() == .text("then"))
    }

    @Test("/headers has what the library's client was told to send")
    func headersSeen() throws {
        var configuration = ClientConfiguration()
        try configuration.addHeader("Authorization", "Bearer abc")
        try configuration.addHeader("Accept-Language", "de")
        let client = try WebSocketClient(server.url("/headers"), configuration: configuration)
        let pairs = try JSONDecoder().decode([[String]].self, from: Data(try client.readTextMessage().utf8))
        #expect(pairs.contains(["authorization", "Bearer abc"]))
        #expect(pairs.contains(["accept-language", "de"]))
    }
}
