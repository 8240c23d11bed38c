// The echo, frame by frame.

import LWSEchoServer
import LWSServiceLoop
import TestSupport
import Testing

@Suite("The echo, byte for byte", .serialized)
struct FrameTests {
    // Goes first at a test's end, or the server would wait for it to answer the close.
    private let client: RawClient
    private let server: EchoServer

    init() throws {
        server = try EchoServer()
        client = try server.rawClient()
    }

    @Test("of a message is one frame of its kind, unmasked", arguments: [0, 1, 125, 126, 127, 65535, 65536, 200_000])
    func whole(size: Int) throws {
        for frame in [RawFrame.binary(pattern(size)), .text(String(repeating: "x", count: size))] {
            client.send(frame, key: [1, 2, 3, 4])
            #expect(try client.readFrame() == frame)
        }
    }

    @Test("of a frame of 5 MB arrives whole")
    func large() throws {
        let frame = RawFrame.binary(pattern(5_000_000))
        client.send(frame)
        #expect(try client.readFrame() == frame)
    }

    @Test("keeps the boundaries of fragments, the empty ones too")
    func fragments() throws {
        let messages: [[RawFrame]] = [
            [.text("one", fin: false), .continuation(Array("two".utf8), fin: false), .continuation([51])],
            [.binary([], fin: false), .continuation([]), .text("whole")],
            [.binary([1], fin: false), .continuation([], fin: false), .continuation(pattern(70_000), fin: false)],
            [.continuation([9]), .text("", fin: false), .continuation([], fin: false), .continuation([])],
        ]
        for frame in messages.joined() {
            client.send(frame, key: [7, 0, 255, 1])
            #expect(try client.readFrame() == frame)
        }
    }

    @Test("keeps the boundaries of frames that arrive together, or byte for byte")
    func pieces() throws {
        let frames: [RawFrame] = [
            .text("a", fin: false), .continuation([]), .binary([]), .text("bc"), .binary([1, 2, 3], fin: false),
            .continuation(pattern(300)),
        ]
        let bytes = frames.flatMap { $0.clientBytes(key: [5, 6, 7, 8]) }
        client.connection.send(bytes)
        for frame in frames { #expect(try client.readFrame() == frame) }
        for byte in bytes { client.connection.send([byte]) }
        for frame in frames { #expect(try client.readFrame() == frame) }
    }

    @Test("lets a ping between two fragments be answered at once")
    func controlInBetween() throws {
        client.send(.text("first", fin: false), .ping("are you there"))
        #expect(try client.readFrame() == .text("first", fin: false))
        #expect(try client.readFrame() == .pong("are you there"))
        client.send(.pong("nobody asked"), .continuation([33]))
        #expect(try client.readFrame() == .continuation([33]))
    }

    @Test("A ping is answered with its payload", arguments: ["", "p", String(repeating: "y", count: 125)])
    func ping(payload: String) throws {
        client.send(.ping(payload))
        #expect(try client.readFrame() == .pong(payload))
    }

    @Test("Pings that arrive together are answered one by one, in order")
    func pings() throws {
        let all = (0..<500).map { RawFrame.ping("ping \($0)") }
        client.connection.send(all.flatMap { $0.clientBytes() })
        for ping in all { #expect(try client.readFrame() == .pong(ping.text)) }
    }

    @Test("Pings of a client that takes no pongs are read all the same")
    func unreadPongs() throws {
        let pings = (0..<1000).flatMap { _ in RawFrame.ping(String(repeating: "p", count: 125)).clientBytes() }
        // More than the system keeps for either side.
        let sending = try Background { [client] in
            for _ in 0..<200 { client.connection.send(pings) }
            client.send(.text("all sent"))
        }
        try sending.value()
        #expect(try pongs(before: "all sent") > 0)
        // The last of them may leave behind that.
        client.send(.text("again"))
        #expect(try pongs(before: "again") <= 1)
        client.send(.ping("late"))
        #expect(try client.readFrame() == .pong("late"))
    }

    private func pongs(before text: String) throws -> Int {
        var count = 0
        while true {
            let frame = try client.readFrame()
            guard frame.opcode == 10 else {
                #expect(frame == .text(text))
                return count
            }
            count += 1
        }
    }

    @Test("A breach of the rules is told with a close frame, and its answer ends TCP at once")
    func breach() throws {
        let end = try Promptness(without: lwsCloseWait) {
            let client = try server.rawClient()
            return try Timing.of {
                client.connection.send(RawFrame(rsv: 1, opcode: 1, payload: [65]).clientBytes())
                let code = try client.readFrame().closeCode
                #expect(code == 1002)
                client.send(.close(1002, ""))
                #expect(client.connection.readUntilEnd().isEmpty)
            }
        }
        #expect(end.isPrompt, "\(end)")
    }

    @Test(
        "A close is answered with its code and reason, and TCP ends",
        arguments: [
            (1000, ""), (1001, "going"), (1003, "ü"), (1007, "x"), (1011, "y"), (3000, "own"), (4999, "last"),
            (4000, String(repeating: "r", count: 123)),
        ])
    func close(code: Int, reason: String) throws {
        client.send(.close(code, reason))
        #expect(try client.readFrame() == .close(code, reason))
        #expect(client.connection.readUntilEnd().isEmpty)
    }

    @Test("A close with a code that may not be sent is answered with 1002", arguments: [999, 1004, 1005, 1006, 2000])
    func wrongClose(code: Int) throws {
        client.send(.close(code))
        #expect(try client.readFrame().closeCode == 1002)
        #expect(client.connection.readUntilEnd().isEmpty)
    }

    @Test("A close without a code is answered, and TCP ends")
    func bareClose() throws {
        client.send(RawFrame(opcode: 8))
        #expect(try client.readFrame().opcode == 8)
        #expect(client.connection.readUntilEnd().isEmpty)
    }

    @Test("A frame of more than 64 MiB is answered with 1009 before it has arrived")
    func oversize() throws {
        // lws hands over what is there once its buffer is full.
        let frame = RawFrame.binary(pattern(40_000))
        client.connection.send(frame.clientBytes(announcing: 64 << 20 + 1))
        let answer = try client.readFrame()
        #expect(answer.closeCode == 1009)
        #expect(answer.payload.dropFirst(2).elementsEqual("frames have 64 MiB at most".utf8))
    }

    @Test("A client that does not read cannot go on sending; once it reads, everything is there")
    func backPressure() throws {
        let frame = RawFrame.binary(pattern(1 << 20)).clientBytes()
        // 64 MiB are more than the sockets of both sides and the server's one frame hold.
        let count = 64
        let sent = Locked(0)
        let sender = try Background { [client] in
            for _ in 0..<count where client.connection.send(frame) { sent.withLock { $0 += 1 } }
        }
        #expect(sender.isBlocked(for: .milliseconds(300)))
        #expect(sent.withLock({ $0 }) < count)
        for _ in 0..<count { #expect(try client.readFrame().payload.count == 1 << 20) }
        try sender.value()
        #expect(sent.withLock({ $0 }) == count)
    }
}
