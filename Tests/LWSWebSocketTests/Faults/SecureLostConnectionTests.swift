// Connections over TLS that break while they are open.

import LWSEchoServer
import LWSServiceLoop
import TestSupport
import Testing

@testable import LWSWebSocket

@Suite("A connection over TLS that is lost", .serialized)
struct SecureLostConnectionTests {
    private static let lost = WebSocketError.Closure(code: 1006, reason: "", initiator: .network)
    private static let faults = TLSFaultServer.Fault.allCases.filter { $0 != .none && $0 != .bytewise }

    private func server(_ version: PeerTLSVersion) throws -> TLSFaultServer {
        try TLSFaultServer(identity: CertificateAuthority.shared.server(.good), version: version)
    }

    private func expectLost(_ error: WebSocketError?, _ comment: Comment? = nil) {
        #expect(error?.code == .connectionClosure, comment)
        #expect(error?.closure == Self.lost, comment)
        #expect(error?.isRetriable == true, comment)
        #expect(error?.description.contains("127.0.0.1") == true, comment)
    }

    @Test(
        "in any way is a lost connection for readers and writers, never a broken rule", arguments: faults,
        [PeerTLSVersion.tls12, .tls13])
    func blockedReader(_ fault: TLSFaultServer.Fault, _ version: PeerTLSVersion) throws {
        let server = try server(version)
        defer { server.stop() }
        for _ in 0..<5 {
            let client = try WebSocketClient(server.url(fault), configuration: SecureFaults.configuration())
            #expect(try client.readTextMessage() == "ready")
            let reading = try Background { try client.readMessage() }
            try client.writeTextMessage("go on")
            expectLost(failure { try reading.value() }, "\(fault)")
            #expect(!client.isOpen)
            expectLost(failure { try client.readMessage() }, "\(fault)")
            expectLost(failure { try client.writeTextMessage("x") }, "\(fault)")
            expectLost(failure { try client.ping() }, "\(fault)")
            expectLost(failure { try client.roundTripTime() }, "\(fault)")
            #expect(try Timing.of { try client.close() } < Timing.atOnce)
        }
    }

    @Test("in any way does not take away what had come before", arguments: faults, [PeerTLSVersion.tls12, .tls13])
    func earlierMessage(_ fault: TLSFaultServer.Fault, _ version: PeerTLSVersion) throws {
        let server = try server(version)
        defer { server.stop() }
        let client = try WebSocketClient(server.url(fault), configuration: SecureFaults.configuration())
        try client.writeTextMessage("go on")
        #expect(eventually { !client.isOpen })
        #expect(try client.readTextMessage() == "ready")
        expectLost(failure { try client.readMessage() }, "\(fault)")
    }

    @Test("in any way while the client writes ends the writes", arguments: faults, [PeerTLSVersion.tls12, .tls13])
    func writer(_ fault: TLSFaultServer.Fault, _ version: PeerTLSVersion) throws {
        let server = try server(version)
        defer { server.stop() }
        let client = try WebSocketClient(server.url(fault), configuration: SecureFaults.configuration())
        let writing = try Background { () -> WebSocketError? in
            while true {
                if let error = failure({ try client.writeBinaryMessage([UInt8](repeating: 7, count: 1000)) }) {
                    return error
                }
            }
        }
        // Where the server has not read all, the system may throw "ready" away when it ends TCP.
        var end: WebSocketError?
        while end == nil { end = failure { try client.readTextMessage() } }
        expectLost(end, "\(fault)")
        let error = try writing.value()
        #expect(error?.code == .connectionClosure)
        #expect(error?.closure == Self.lost)
    }

    @Test("in any way is made again where that is wanted", arguments: faults)
    func reconnecting(_ fault: TLSFaultServer.Fault) throws {
        let server = try server(.tls13)
        defer { server.stop() }
        var configuration = RetryLog().configuration()
        try SecureFaults.trust(&configuration)
        let client = try WebSocketClient(server.url(fault), configuration: configuration)
        for _ in 0..<3 {
            #expect(try client.readTextMessage() == "ready")
            try client.writeTextMessage("go on")
        }
        try client.close(timeout: .seconds(1))
    }

    @Test("is not what bytes in records of their own are", arguments: [PeerTLSVersion.tls12, .tls13])
    func bytewise(_ version: PeerTLSVersion) throws {
        let server = try server(version)
        defer { server.stop() }
        let client = try WebSocketClient(server.url(.bytewise), configuration: SecureFaults.configuration())
        for _ in 0..<5 {
            try client.writeTextMessage("x")
            #expect(try client.readTextMessage() == "bytewise")
        }
        try client.close(timeout: .zero)
    }

    @Test("while nobody reads loses nothing of what was taken in", arguments: [false, true])
    func whilePaused(_ resets: Bool) throws {
        let server = try SecureFaults.echoServer()
        defer { server.stop() }
        let mayEnd = MonotonicSemaphore()
        let relay = try SecureRelay(to: server.port) { _, path in
            try path.pass(until: mayEnd) { if resets { path.client.reset() } else { path.client.closeConnection() } }
        }
        defer { relay.stop() }
        let client = try WebSocketClient(
            relay.url("/push/1000/65536"), configuration: SecureFaults.configuration())
        #expect(eventually { client.inside.isPaused })
        mayEnd.signal()
        var (count, error): (Int, WebSocketError?) = (0, nil)
        while error == nil {
            error = failure {
                let message = try client.readBinaryMessage()
                #expect(message.count == 65536 && message[0] == UInt8(truncatingIfNeeded: count))
                count += 1
            }
        }
        #expect(count >= 16 && count < 1000, "\(count)")
        expectLost(error)
    }

    @Test("in the midst of a message that is being written says that a part may have arrived")
    func partial() throws {
        let server = try SecureFaults.echoServer()
        defer { server.stop() }
        let mayReset = MonotonicSemaphore()
        let relay = try SecureRelay(to: server.port) { _, path in
            let downstream = try Background { path.passDownstream() }
            // The handshake, the request, and a beginning.
            for _ in 0..<10 { path.server.send(try RawServer.readRecord(path.client)) }
            mayReset.signal()
            path.client.reset()
            path.server.closeConnection()
            try downstream.value()
        }
        defer { relay.stop() }
        let client = try WebSocketClient(relay.url(), configuration: SecureFaults.configuration())
        let error = failure {
            try client.writeBinaryMessage([UInt8](repeating: 7, count: StallingServer.tooMuch))
        }
        #expect(error?.code == .connectionClosure)
        #expect(error?.closure == Self.lost)
        #expect(error?.isRetriable == false)
        #expect(error?.description.contains("may have arrived") == true)
    }

    @Test("by a server that says goodbye while the client writes: all it sent is read, and its reason")
    func closedWhileWriting() throws {
        let server = try SecureFaults.echoServer()
        defer { server.stop() }
        for _ in 0..<10 {
            let client = try WebSocketClient(
                server.url("/close/1001/bye"), configuration: SecureFaults.configuration())
            let writing = try Background {
                while failure({ try client.writeBinaryMessage([UInt8](repeating: 0, count: 1000)) }) == nil {}
            }
            let error = failure { try client.readMessage() }
            #expect(error?.closure == .init(code: 1001, reason: "bye", initiator: .peer, isClean: true))
            try writing.value()
        }
    }
}
