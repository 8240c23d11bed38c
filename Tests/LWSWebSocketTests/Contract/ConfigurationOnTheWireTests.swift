// What each field of the configuration does, as the server sees it.

import Foundation
import HTTPTypes
import LWSServiceLoop
import TestSupport
import Testing

@testable import LWSWebSocket

@Suite("The configuration on the wire", .serialized)
struct ConfigurationOnTheWireTests {
    /// A server that keeps the requests and frames it gets.
    private struct Recorder {
        let server: RawServer
        private let heads = Locked<[String]>([])
        private let frames = Locked<[RawFrame]>([])
        private let ended = MonotonicSemaphore()

        init(answer lines: [String] = [], _ greeting: [UInt8] = []) throws {
            let (heads, frames, ended) = (heads, frames, ended)
            server = try RawServer { peer in
                defer { ended.signal() }
                guard let head = try? peer.acceptUpgrade(extraHeaders: lines) else { return }
                heads.withLock { $0.append(head) }
                peer.send(greeting)
                while let frame = try? peer.readFrame() {
                    frames.withLock { $0.append(frame) }
                    if frame.opcode == 8 { peer.sendFrame(opcode: 8, frame.payload) }
                }
            }
        }

        /// The lines of the request and the frames, once the connection has ended.
        func seen() throws -> (lines: [String], frames: [RawFrame]) {
            guard ended.wait(until: Deadline(after: Timing.ages)) else { throw StillRunning(limit: Timing.ages) }
            let lines = heads.withLock { $0.removeFirst() }.components(separatedBy: "\r\n")
            return (
                lines,
                frames.withLock { frames in
                    defer { frames = [] }
                    return frames
                }
            )
        }
    }

    /// What a server sees of a connection with this configuration, on which `body` runs.
    private func record(
        _ configuration: ClientConfiguration, answer: [String] = [], greeting: [UInt8] = [],
        _ body: (WebSocketClient) throws -> Void = { _ in }
    ) throws -> (lines: [String], frames: [RawFrame]) {
        let recorder = try Recorder(answer: answer, greeting)
        defer { recorder.server.stop() }
        let client = try WebSocketClient(recorder.server.url("/path"), configuration: configuration)
        try body(client)
        try client.close()
        return try recorder.seen()
    }

    @Test("is nothing but the handshake's own fields and a close frame where nothing is set")
    func defaults() throws {
        let (lines, frames) = try record(ClientConfiguration())
        #expect(lines.first == "GET /path HTTP/1.1")
        let names = lines.dropFirst().dropLast(2).compactMap { $0.split(separator: ":").first?.lowercased() }
        let handshake: Set = ["host", "upgrade", "connection", "sec-websocket-key", "sec-websocket-version"]
        #expect(handshake.isSubset(of: names))
        let others = Set(names).subtracting(handshake).subtracting(["pragma", "cache-control"])
        #expect(others.isSubset(of: ["sec-websocket-extensions", "user-agent"]), "\(names)")
        #expect(Set(names).count == names.count, "none twice")
        #expect(frames.map(\.opcode) == [8])
    }

    @Test("has sub-protocols in order, header fields repeated and in order, Host replaced, cookies in one field")
    func handshake() throws {
        var configuration = ClientConfiguration()
        configuration.subProtocols = ["z.last", "a.first", "m.middle"]
        for (name, value) in [
            ("X-Zeta", "1"), ("X-Alpha", "2"), ("X-Zeta", "3"), ("Host", "virtual.example:81"), ("x-lower", "4"),
            ("X-Empty", ""), ("Origin", "https://o.example"), ("Authorization", "Basic dTpw"),
        ] { try configuration.addHeader(name, value) }
        configuration.cookies = [
            Cookie(name: "short", value: "1", path: "/"), Cookie(name: "none", value: "2"),
            Cookie(name: "long", value: "3", path: "/path/to"),
        ]
        let (lines, _) = try record(configuration, answer: ["Sec-WebSocket-Protocol: a.first"])
        #expect(lines.contains("Sec-WebSocket-Protocol: z.last, a.first, m.middle"))
        #expect(lines.filter { $0.lowercased().hasPrefix("host:") } == ["Host: virtual.example:81"])
        #expect(lines.filter { $0.lowercased().hasPrefix("cookie:") } == ["Cookie: long=3; short=1; none=2"])
        let own = lines.filter { $0.lowercased().hasPrefix("x-") }
        #expect(own == ["X-Zeta: 1", "X-Alpha: 2", "X-Zeta: 3", "x-lower: 4", "X-Empty: "])
        #expect(lines.filter { $0.hasPrefix("Origin:") } == ["Origin: https://o.example"])
        #expect(lines.filter { $0.hasPrefix("Authorization:") } == ["Authorization: Basic dTpw"])
    }

    @Test(
        "says who asks: the library with its version, unless the application says another, or nobody",
        arguments: [
            (nil, ["User-Agent: \(UserAgent.library)"]), ("mine/2 (x)", ["User-Agent: mine/2 (x)"]), ("", []),
        ])
    func userAgent(_ given: String?, _ lines: [String]) throws {
        var configuration = ClientConfiguration()
        if let given { try configuration.addHeader("User-Agent", given) }
        let seen = try record(configuration).lines.filter { $0.lowercased().hasPrefix("user-agent") }
        #expect(seen == lines)
        #expect(UserAgent.library.wholeMatch(of: /swift-lws\/[0-9.]+/) != nil)
    }

    @Test("comes from JSON as from a program")
    func json() throws {
        var program = ClientConfiguration()
        program.subProtocols = ["b", "a"]
        try program.addHeader("X-A", "1")
        try program.addHeader("X-A", "2")
        program.cookies = [Cookie(name: "n", value: "v", path: "/p")]
        program.maxFrameSize = 3
        let file = try ClientConfiguration(
            json: Array(
                #"{"subProtocols": ["b", "a"], "customHeaders": {"X-A": ["1", "2"]}, "maxFrameSize": 3, "#.utf8)
                + Array(#""cookies": [{"name": "n", "value": "v", "path": "/p"}]}"#.utf8))
        let seen = try [program, file].map { configuration in
            try record(configuration, answer: ["Sec-WebSocket-Protocol: a"]) { try $0.writeTextMessage("12345") }
        }
        let lines = seen.map { seen in
            seen.lines.filter { !$0.hasPrefix("Sec-WebSocket-Key:") && !$0.hasPrefix("Host:") }
        }
        #expect(lines[0] == lines[1])
        #expect(seen[0].frames == seen[1].frames)
        #expect(seen[0].frames.map(\.text).prefix(2) == ["123", "45"])
    }

    @Test("reaches the wire by every way to make a client, and does not change afterwards")
    func everyWay() throws {
        let recorder = try Recorder()
        defer { recorder.server.stop() }
        var configuration = ClientConfiguration()
        try configuration.addHeader("X-Way", "1")
        let loop = WebSocketLoop()
        let url = recorder.server.url()
        let clients = [
            try WebSocketClient(unconnected: url, configuration: configuration),
            try WebSocketClient(unconnected: url, configuration: configuration, loop: loop),
        ]
        try configuration.addHeader("X-Late", "2")
        for client in clients {
            try client.connect()
            try client.close()
            let lines = try recorder.seen().lines
            #expect(lines.contains("X-Way: 1") && !lines.contains("X-Late: 2"))
        }
        try WebSocketClient(url, configuration: configuration, loop: loop).close()
        #expect(try recorder.seen().lines.contains("X-Late: 2"))
    }

    @Test(
        "has frames of maxFrameSize exactly, and one more byte in a frame of its own", arguments: [1, 125, 126, 1000])
    func frameSize(_ size: Int) throws {
        var configuration = ClientConfiguration()
        configuration.maxFrameSize = size
        let bytes = [UInt8](repeating: 5, count: 2 * size + 1)
        let (_, frames) = try record(configuration) { client in
            try client.writeBinaryMessage(Array(bytes.prefix(size)))
            try client.writeBinaryMessage(bytes)
        }
        #expect(frames.map(\.payload.count).dropLast() == [size, size, size, 1])
        #expect(frames.map(\.opcode) == [2, 2, 0, 0, 8])
        #expect(frames.map(\.fin) == [true, false, false, true, true])
    }

    @Test("has frames of 65,536 bytes by default")
    func defaultFrameSize() throws {
        let (_, frames) = try record(ClientConfiguration()) { client in
            try client.writeBinaryMessage([UInt8](repeating: 5, count: 65537))
        }
        #expect(frames.map(\.payload.count).dropLast() == [65536, 1])
    }

    @Test("has a close frame with 1009 for a frame or message that is a byte too long, and none for the longest")
    func incomingSizes() throws {
        let whole = { (count: Int) in RawFrame(opcode: 2, payload: [UInt8](repeating: 1, count: count)).serverBytes }
        let halves = { (count: Int) in
            RawFrame(fin: false, opcode: 2, payload: [UInt8](repeating: 1, count: 90)).serverBytes
                + RawFrame(opcode: 0, payload: [UInt8](repeating: 1, count: count - 90)).serverBytes
        }
        for (greeting, limits, isAccepted) in [
            (whole(100), (100, nil), true), (whole(101), (100, nil), false), (halves(150), (100, nil), true),
            (halves(150), (100, 150), true), (halves(150), (100, 149), false), (whole(65536), (0, nil), true),
            (whole(65537), (-1, nil), false),
        ] as [([UInt8], (Int, Int?), Bool)] {
            var configuration = ClientConfiguration()
            (configuration.maxFrameSize, configuration.maxMessageSize) = limits
            let (_, frames) = try record(configuration, greeting: greeting) { client in
                let error = failure { try client.readBinaryMessage() }
                #expect(error?.code == (isAccepted ? nil : .payloadTooLarge), "\(limits)")
            }
            #expect(frames.map(\.opcode) == [8])
            #expect(frames.first?.closeCode == (isAccepted ? 1000 : 1009), "\(limits)")
        }
    }

    @Test("shows nothing of a readTimeout: no frame leaves when it expires, and the connection goes on")
    func readTimeout() throws {
        var configuration = ClientConfiguration()
        configuration.readTimeout = .milliseconds(30)
        let (_, frames) = try record(configuration) { client in
            #expect(failure { try client.readMessage() }?.code == .readTimedOut)
            try client.writeTextMessage("still here")
        }
        #expect(frames.map(\.opcode) == [1, 8])
    }

    @Test("has a whole message or nothing of it after a writeTimeout, or the end of the connection")
    func writeTimeout() throws {
        let message = [UInt8](repeating: 7, count: StallingServer.tooMuch)
        // Where the machine is too busy for a part of it to leave in time, nothing of it leaves.
        let hasBegun = try succeedsWithSomeLimit { limit in
            var configuration = ClientConfiguration()
            configuration.writeTimeout = limit
            let stalling = try StallingServer()
            let client = try WebSocketClient(stalling.url(), configuration: configuration)
            let error = failure { try client.writeBinaryMessage(message) }
            #expect(error?.code == .writeTimedOut)
            let hasEnded = !client.isOpen
            if hasEnded { #expect(error?.closure?.initiator == .local) }
            stalling.readOn()
            stalling.server.stop()
            #expect(stalling.received.withLock { $0 } < StallingServer.tooMuch)
            return hasEnded
        }
        #expect(hasBegun)
    }

    @Test("ends with TCP when handShakeTimeout is over")
    func handShakeTimeout() throws {
        let ended = MonotonicSemaphore()
        let server = try RawServer { peer in
            peer.waitForEnd()
            ended.signal()
        }
        defer { server.stop() }
        var configuration = ClientConfiguration()
        let limit = Duration.milliseconds(200)
        configuration.handShakeTimeout = limit
        let kept = Punctuality(of: limit) { () -> Void in
            let error = failure { try WebSocketClient(server.url(), configuration: configuration) }
            #expect(error?.code == .handshakeTimedOut)
            #expect(ended.wait(until: Deadline(after: Timing.ages)))
        }
        #expect(kept.isKept, "\(kept)")
    }

    @Test("is the same with validation off, which lets what arrives through as it is", arguments: [true, false])
    func validation(_ isOn: Bool) throws {
        struct Limited: Codable, Validatable {
            var id: Int
            static let constraints: [Constraint<Limited>] = [.field("id", \.id, .maximum(5))]
        }
        var configuration = ClientConfiguration()
        configuration.validation = isOn
        let greeting = RawFrame(opcode: 1, payload: Array(#"{"id": 9}"#.utf8)).serverBytes
        let (_, frames) = try record(configuration, greeting: greeting) { client in
            let error = failure { try client.readMessage(as: Limited.self) }
            #expect(error?.code == (isOn ? .payloadValidation : nil))
        }
        #expect(frames.map(\.closeCode) == [1000])
    }

    @Test("is the same with a handler of pongs, which is told of the peer's")
    func pingPongHandler() throws {
        struct Handler: PingPongHandler {
            let payloads = Locked<[[UInt8]]>([])
            let told = MonotonicSemaphore()
            func onPong(_ payload: [UInt8]) {
                payloads.withLock { $0.append(payload) }
                told.signal()
            }
        }
        let handler = Handler()
        var configuration = ClientConfiguration()
        configuration.pingPongHandler = handler
        let greeting = RawFrame(opcode: 10, payload: [1, 2]).serverBytes
        let (_, frames) = try record(configuration, greeting: greeting) { client in
            #expect(handler.told.wait(until: Deadline(after: Timing.ages)))
            try client.ping([3])
        }
        #expect(handler.payloads.withLock { $0 } == [[1, 2]])
        #expect(frames.map(\.opcode) == [9, 8])
    }

    @Test("is what the encoder makes of a value")
    func encoder() throws {
        let configuration = ClientConfiguration()
        configuration.jsonEncoder.outputFormatting = .sortedKeys
        configuration.jsonEncoder.keyEncodingStrategy = .convertToSnakeCase
        struct Value: Encodable { var oneTwo = 1, a = 2 }
        let (_, frames) = try record(configuration) { try $0.writeMessage(Value()) }
        #expect(frames.first?.text == #"{"a":2,"one_two":1}"#)
    }
}
