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

    /// A server that sends messages, and a frame that breaks a rule behind them, all at once.
    final class Breaker {
        let server: RawServer
        let seen = Seen()

        init(
            _ breach: Breach, _ way: Way = .plain, behind messages: [String] = ["question"], ping: Bool = false,
            before rest: RawFrame = RawFrame(opcode: 1, payload: [66])
        ) throws {
            let texts = messages.flatMap { RawFrame(opcode: 1, payload: Array($0.utf8)).serverBytes }
            let pinging = ping ? RawFrame(opcode: 9, payload: [7]).serverBytes : []
            let last = rest.masked ? rest.clientBytes() : rest.serverBytes
            server = try RawServer(tls: way.identity()) { [seen] peer in
                defer { seen.done() }
                _ = try? peer.acceptUpgrade(extraHeaders: way.answerLines)
                peer.send(texts + pinging + breach.bytes + last)
                while let frame = try? peer.readFrame() {
                    seen.add(frame)
                    guard frame.opcode == 8 else { continue }
                    peer.sendFrame(opcode: 8, frame.payload)
                    peer.endOutput()
                }
            }
        }

        /// - Parameters:
        ///   - patience: how long an answer may take, on a busy machine as well.
        ///   - loop: one on which nobody else begins or ends.
        func connect(
            _ way: Way = .plain, patience: Duration = Timing.ages, on loop: WebSocketLoop = WebSocketLoop()
        ) throws -> WebSocketClient {
            var configuration = try way.configuration()
            configuration.maxFrameSize = Breach.limit
            configuration.readTimeout = Timing.ages
            configuration.writeTimeout = Timing.ages
            let client = try WebSocketClient(unconnected: server.url(), configuration: configuration, loop: loop)
            client.inside.setPatience(patience)
            try client.connect()
            return client
        }

        /// The close frame, of which there is to be one, behind everything else.
        func close() throws -> RawFrame? {
            let frames = try seen.all()
            #expect(frames.count { $0.opcode == 8 } == 1, "\(frames.map(\.opcode))")
            #expect(frames.last?.opcode == 8)
            return frames.last
        }
    }

    @Test("can be answered", arguments: Breach.allCases, Way.allCases)
    func answered(_ breach: Breach, _ way: Way) throws {
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
        let client = try breaker.connect(patience: .milliseconds(200))
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

    /// What the parser meets next, where it goes on.
    @Test(
        "can be answered whatever comes behind the rule that was broken first",
        arguments: [
            RawFrame(opcode: 5), RawFrame(rsv: 7, opcode: 10), RawFrame(opcode: 1, masked: true, payload: [65]),
        ],
        [["question"], []])
    func severalBreaches(_ second: RawFrame, _ messages: [String]) throws {
        let breaker = try Breaker(.wrongText, behind: messages, before: second)
        let client = try breaker.connect()
        for message in messages {
            #expect(try client.readTextMessage() == message)
            try client.writeTextMessage("answer")
        }
        let error = failure { try client.readMessage() }
        #expect(error?.code == .corruptedFrame)
        #expect(error?.closure?.code == 1007)
        #expect(try breaker.close()?.closeCode == 1007)
        #expect(try breaker.seen.all().count == messages.count + 1)
    }

    @Test(
        "and of a ping is answered or not, but never behind the close frame", arguments: Breach.allCases, Way.allCases
    )
    func behindPing(_ breach: Breach, _ way: Way) throws {
        for _ in 0..<10 {
            let breaker = try Breaker(breach, way, ping: true)
            let client = try breaker.connect(way)
            #expect(try client.readTextMessage() == "question")
            _ = try? client.writeTextMessage("answer")
            #expect(failure { try client.readMessage() }?.code == breach.error)
            #expect(try breaker.close()?.closeCode == breach.closeCode)
        }
    }

    @Test(
        "is followed by one close frame, whoever writes, reads and closes at that moment",
        arguments: [Breach.reservedOpcode, .wrongText], Way.allCases)
    func manyCallers(_ breach: Breach, _ way: Way) throws {
        for round in 0..<(Sanitizer.isActive ? 10 : 40) {
            let breaker = try Breaker(breach, way)
            let client = try breaker.connect(way)
            #expect(try client.readTextMessage() == "question")
            let writing = try (0..<2).map { number in
                try Background { while failure({ try client.writeTextMessage("\(number)") }) == nil {} }
            }
            let ending = try Background {
                switch round % 3 {
                case 0: _ = try? client.readMessage()
                case 1: try client.close(statusCode: 1001, timeout: nil)
                default: _ = try? client.roundTripTime(timeout: nil)
                }
            }
            for caller in writing + [ending] { try caller.value() }
            // What a writer could not send at once ends it as well.
            let expected = [breach.closeCode] + (round % 3 == 1 ? [1001] : [])
            let code = try breaker.close()?.closeCode
            #expect(code.map(expected.contains) == true, "\(String(describing: code))")
        }
    }

    /// libwebsockets looks at all connections when another begins or is given up, and sends the close frame then.
    @Test("is answered or not, but never behind the close frame, while others come and go", arguments: Way.allCases)
    func amongOthers(_ way: Way) throws {
        let nobody = try FreePort.find()
        for round in 0..<(Sanitizer.isActive ? 5 : 30) {
            let breaker = try Breaker(Breach.allCases[round % Breach.allCases.count], way)
            let client = try breaker.connect(way, on: .shared)
            #expect(try client.readTextMessage() == "question")
            let others = try Background { for _ in 0..<10 { _ = try? WebSocketClient("ws://127.0.0.1:\(nobody)/") } }
            for _ in 0..<200 { _ = try? client.writeTextMessage("answer") }
            try others.value()
            #expect(failure { try client.readMessage() } != nil)
            #expect(try breaker.close() != nil)
        }
    }
}
