// Connections that end at each byte of a handshake and of what follows.

import LWSEchoServer
import LWSServiceLoop
import TestSupport
import Testing

@testable import LWSWebSocket

@Suite("A connection that ends after any number of bytes", .serialized)
struct ResetOffsetTests {
    /// How far a short conversation came, and why no further.
    private enum Outcome: Equatable {
        case handshake(WebSocketError.Code, isRetriable: Bool)
        case conversation(WebSocketError.Code, WebSocketError.Closure?)
        case closing
        case whole
    }

    private static let text = "a message of some length, so that it has many offsets"

    private static func converse(_ url: String, _ configuration: ClientConfiguration) -> Outcome {
        let client: WebSocketClient
        do throws(WebSocketError) {
            client = try WebSocketClient(url, configuration: configuration)
        } catch {
            return .handshake(error.code, isRetriable: error.isRetriable)
        }
        do throws(WebSocketError) {
            try client.writeTextMessage(text)
            guard try client.readTextMessage() == text else { return .conversation(.corruptedFrame, nil) }
            _ = try client.roundTripTime(timeout: limit)
        } catch {
            return .conversation(error.code, error.closure)
        }
        let wasOpen = client.isOpen
        guard (try? client.close(timeout: limit)) != nil, wasOpen else { return .closing }
        return .whole
    }

    private static let limit = Timing.ages

    private static func configuration(_ change: (inout ClientConfiguration) throws -> Void) rethrows
        -> ClientConfiguration
    {
        var configuration = ClientConfiguration()
        configuration.handShakeTimeout = limit
        configuration.readTimeout = limit
        configuration.writeTimeout = limit
        try change(&configuration)
        return configuration
    }

    /// A reset comes at each offset once; where a run takes many times as long, or ends with a FIN, at some.
    private static func step(_ fault: FaultRelay.Fault) -> Int { Sanitizer.isActive ? 11 : fault == .reset ? 1 : 7 }

    /// Has the conversation end after each of the numbers of bytes, in one direction.
    private func check(
        _ port: Int, _ scheme: String, _ configuration: ClientConfiguration, _ offsets: some Sequence<Int>,
        upstream: Bool, _ fault: FaultRelay.Fault, handshake: [WebSocketError.Code]
    ) throws {
        for offset in offsets {
            let direction = FaultRelay.Direction(limit: offset)
            let relay = try FaultRelay(
                to: port, upstream: upstream ? direction : .init(), downstream: upstream ? .init() : direction,
                fault: fault)
            let outcome = Self.converse("\(scheme)://127.0.0.1:\(relay.port)/echo", configuration)
            let place: Comment = "\(fault) after \(offset) bytes \(upstream ? "up" : "down"): \(outcome)"
            switch outcome {
            case .handshake(let code, let isRetriable):
                #expect(handshake.contains(code) && isRetriable, place)
            case .conversation(let code, let closure):
                #expect(code == .connectionClosure, place)
                #expect(closure == .init(code: 1006, reason: "", initiator: .network), place)
            case .closing, .whole: break
            }
            relay.stop()
        }
    }

    @Test("is a typed error at once, and the loop goes on", arguments: [FaultRelay.Fault.reset, .end])
    func plain(_ fault: FaultRelay.Fault) throws {
        let server = try EchoServer()
        let configuration = Self.configuration { $0.webSocketCompressionEnabled = false }
        let healthy = try WebSocketClient("ws://127.0.0.1:\(server.port)/echo")
        let relay = try FaultRelay(to: server.port)
        #expect(Self.converse("ws://127.0.0.1:\(relay.port)/echo", configuration) == .whole)
        // The port's digits in the Host field may be one more or less for other relays.
        let (up, down) = relay.passed
        #expect(up > 200 && down > 150)
        for (isUpstream, count) in [(true, up), (false, down)] {
            let offsets = stride(from: 0, to: count, by: Self.step(fault))
            try check(
                server.port, "ws", configuration, offsets, upstream: isUpstream, fault, handshake: [.connection])
            try healthy.writeTextMessage("still served")
            #expect(try healthy.readTextMessage() == "still served")
        }
    }

    @Test("over TLS is a typed error too", arguments: [FaultRelay.Fault.reset, .end])
    func secure(_ fault: FaultRelay.Fault) throws {
        let server = try SecureFaults.echoServer([.tls13])
        let configuration = try Self.configuration {
            try SecureFaults.trust(&$0)
            $0.webSocketCompressionEnabled = false
        }
        let relay = try FaultRelay(to: server.port)
        #expect(Self.converse("wss://127.0.0.1:\(relay.port)/echo", configuration) == .whole)
        let (up, down) = relay.passed
        for (isUpstream, count) in [(true, up), (false, down)] {
            // Every byte of the end, which is WebSocket's, and some of what is TLS's alone.
            let offsets =
                Array(stride(from: 0, to: count - 150, by: 97))
                + Array(stride(from: count - 150, to: count, by: Self.step(fault)))
            try check(
                server.port, "wss", configuration, offsets, upstream: isUpstream, fault,
                handshake: [.connection, .ssl])
        }
    }

    @Test("leaves nothing behind")
    func growth() throws {
        let server = try EchoServer()
        let configuration = Self.configuration { _ in }
        try expectNoGrowth(100, warmUp: 50) { index in
            let relay = try FaultRelay(to: server.port, downstream: .init(limit: index * 7 % 230))
            _ = Self.converse("ws://127.0.0.1:\(relay.port)/echo", configuration)
            relay.stop()
        }
    }
}
