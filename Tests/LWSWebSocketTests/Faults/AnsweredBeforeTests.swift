// Messages that came before a server broke a rule, and how they are answered all the same.

import LWSServiceLoop
import TestSupport
import Testing

@testable import LWSWebSocket

@Suite("A message in front of a broken rule", .serialized)
struct AnsweredBeforeTests {
    /// What is wrong with the frame behind the messages.
    enum Breach: String, CaseIterable {
        case reservedOpcode, reservedBit, strayContinuation, longControlFrame, wrongText, longFrame

        static let limit = 100

        var bytes: [UInt8] {
            let frame =
                switch self {
                case .reservedOpcode: RawFrame(opcode: 5, payload: [1])
                case .reservedBit: RawFrame(rsv: 2, opcode: 1, payload: [65])
                case .strayContinuation: RawFrame(opcode: 0, payload: [65])
                case .longControlFrame: RawFrame(opcode: 9, payload: [UInt8](repeating: 0, count: 126))
                case .wrongText: RawFrame(opcode: 1, payload: [0xff])
                case .longFrame: RawFrame(opcode: 2, payload: [UInt8](repeating: 0, count: Self.limit + 1))
                }
            return frame.serverBytes
        }

        var error: WebSocketError.Code { self == .longFrame ? .payloadTooLarge : .corruptedFrame }

        /// The status code that tells the server.
        var closeCode: Int {
            switch self {
            case .wrongText: 1007
            case .longFrame: 1009
            default: 1002
            }
        }
    }

    enum Way: String, CaseIterable {
        case plain, secure, compressed
    }

    /// A server that sends messages, and a frame that breaks a rule behind them, all at once.
    final class Breaker {
        let server: RawServer
        let seen = Seen()

        init(_ breach: Breach, _ way: Way = .plain, behind messages: [String] = ["question"]) throws {
            let identity = way == .secure ? try TLSIdentity(CertificateAuthority.shared.server(.good)) : nil
            server = try RawServer(tls: identity) { [seen] peer in
                defer { seen.done() }
                _ = try? peer.acceptUpgrade(
                    extraHeaders: way == .compressed ? ["Sec-WebSocket-Extensions: permessage-deflate"] : [])
                peer.send(
                    messages.flatMap { RawFrame(opcode: 1, payload: Array($0.utf8)).serverBytes } + breach.bytes
                        + RawFrame(opcode: 1, payload: [66]).serverBytes)
                while let frame = try? peer.readFrame() {
                    seen.add(frame)
                    guard frame.opcode == 8 else { continue }
                    peer.sendFrame(opcode: 8, frame.payload)
                    peer.endOutput()
                }
            }
        }

        func connect(_ way: Way = .plain) throws -> WebSocketClient {
            var configuration = way == .secure ? try ClientConfiguration.secure() : ClientConfiguration()
            configuration.webSocketCompressionEnabled = way == .compressed
            configuration.maxFrameSize = Breach.limit
            configuration.readTimeout = Timing.ages
            configuration.writeTimeout = Timing.ages
            return try WebSocketClient(server.url(), configuration: configuration)
        }
    }

    @Test("can be answered", arguments: Breach.allCases, Way.allCases)
    func answered(_ breach: Breach, _ way: Way) throws {
        guard way != .compressed || LibraryFeature.compression.isPresent else { return }
        let breaker = try Breaker(breach, way)
        let client = try breaker.connect(way)
        #expect(try client.readTextMessage() == "question")
        try client.writeTextMessage("answer")
        let error = failure { try client.readMessage() }
        #expect(error?.code == breach.error)
        #expect(error?.closure?.code == breach.closeCode)
        #expect(failure { try client.writeTextMessage("late") }?.code == .connectionClosure)
        let frames = try breaker.seen.all()
        #expect(frames.map(\.opcode) == [1, 8])
        #expect(way == .compressed || frames.first?.text == "answer")
        #expect(frames.last?.closeCode == breach.closeCode)
    }

    @Test("can be answered, each of several", arguments: [Breach.reservedOpcode, .wrongText])
    func severalAnswered(_ breach: Breach) throws {
        let questions = (0..<20).map { "question \($0)" }
        let breaker = try Breaker(breach, behind: questions)
        let client = try breaker.connect()
        for question in questions {
            #expect(try client.readTextMessage() == question)
            try client.writeTextMessage(question)
        }
        #expect(failure { try client.readMessage() }?.code == breach.error)
        let frames = try breaker.seen.all()
        #expect(frames.dropLast().map(\.text) == questions)
        #expect(frames.last?.closeCode == breach.closeCode)
    }

    @Test("can be answered by a task", arguments: [Breach.reservedOpcode, .wrongText])
    func answeredByTask(_ breach: Breach) async throws {
        let breaker = try Breaker(breach)
        let client = try breaker.connect()
        #expect(try await client.receive() == .text("question"))
        try await client.send("answer")
        await #expect(throws: WebSocketError.self) { try await client.receive() }
        #expect(try breaker.seen.all().map(\.opcode) == [1, 8])
    }

    @Test("keeps the connection for a while only, where nobody reads on", arguments: Breach.allCases)
    func patience(_ breach: Breach) throws {
        let breaker = try Breaker(breach)
        let client = try breaker.connect()
        #expect(try client.readTextMessage() == "question")
        let frames = try breaker.seen.all()
        #expect(frames.map(\.closeCode) == [breach.closeCode])
        #expect(!client.isOpen)
        #expect(failure { try client.readMessage() }?.code == breach.error)
    }

    @Test("can be the last that is read before the application closes", arguments: Breach.allCases)
    func closed(_ breach: Breach) throws {
        let breaker = try Breaker(breach)
        let client = try breaker.connect()
        #expect(try client.readTextMessage() == "question")
        try client.close(statusCode: 1001, reason: "enough")
        let frames = try breaker.seen.all()
        #expect(frames.map(\.closeCode) == [1001])
        #expect(frames.last?.payload.dropFirst(2).elementsEqual(Array("enough".utf8)) == true)
    }

    @Test("leaves a ping without a pong, which fails at once", arguments: [Breach.reservedOpcode, .wrongText])
    func pinged(_ breach: Breach) throws {
        let breaker = try Breaker(breach)
        let client = try breaker.connect()
        #expect(try client.readTextMessage() == "question")
        let error = failure { try client.roundTripTime() }
        #expect(error?.code == .connectionClosure)
        #expect(try breaker.seen.all().last?.closeCode == breach.closeCode)
    }

    /// libwebsockets looks at all connections when another begins or is given up, and sends the close frame then.
    @Test("is answered or not, but never behind the close frame, while others come and go", arguments: Way.allCases)
    func amongOthers(_ way: Way) throws {
        guard way != .compressed || LibraryFeature.compression.isPresent else { return }
        let nobody = try FreePort.find()
        for round in 0..<(Sanitizer.isActive ? 5 : 30) {
            let breaker = try Breaker(Breach.allCases[round % Breach.allCases.count], way)
            let client = try breaker.connect(way)
            #expect(try client.readTextMessage() == "question")
            let others = try Background { for _ in 0..<10 { _ = try? WebSocketClient("ws://127.0.0.1:\(nobody)/") } }
            for _ in 0..<200 { _ = try? client.writeTextMessage("answer") }
            try others.value()
            #expect(failure { try client.readMessage() } != nil)
            let frames = try breaker.seen.all()
            #expect(frames.last?.opcode == 8)
            #expect(frames.dropLast().allSatisfy { $0.opcode == 1 })
        }
    }
}
