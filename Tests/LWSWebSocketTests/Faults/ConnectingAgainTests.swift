// A first connect that fails and is tried again.

import HTTPTypes
import LWSServiceLoop
import TestSupport
import Testing

@testable import LWSWebSocket

@Suite("Connecting again", .serialized)
struct ConnectingAgainTests {
    @Test("stops after maxCount attempts, with the last one's error, and the waits grow")
    func maxCount() throws {
        let server = try NumberedServer { _, peer in try peer.refuse(503) }
        defer { server.stop() }
        let log = RetryLog()
        let configuration = log.configuration(
            maxCount: 3, interval: .milliseconds(20), backOffFactor: 2, maxWaitInterval: .milliseconds(50))
        let time = Timing.of {
            let error = failure { try WebSocketClient(server.url(), configuration: configuration) }
            #expect(error?.code == .invalidHandshake)
            #expect(error?.httpResponse?.status.code == 503)
        }
        #expect(server.count == 4)
        #expect(log.all.map(\.wait) == [20, 40, 50].map(Duration.milliseconds))
        #expect(log.all.map(\.attempt) == [0, 1, 2])
        #expect(time >= .milliseconds(110) && time < .milliseconds(500), "\(time)")
    }

    @Test("tries what answers too late again, each time for handShakeTimeout")
    func slow() throws {
        let server = try NumberedServer { number, peer in
            if number < 2 { return peer.waitForEnd() }
            try peer.acceptUpgrade()
            peer.waitForEnd()
        }
        defer { server.stop() }
        let log = RetryLog()
        var configuration = log.configuration()
        configuration.handShakeTimeout = .milliseconds(150)
        #expect(try WebSocketClient(server.url(), configuration: configuration).isOpen)
        #expect(server.count == 3)
        #expect(log.all.allSatisfy { $0.error.code == .handshakeTimedOut })
    }

    @Test("does not try again what will not change", arguments: [200, 302, 400, 401, 404, 429])
    func final(_ status: Int) throws {
        let server = try NumberedServer { _, peer in try peer.refuse(status) }
        defer { server.stop() }
        let log = RetryLog()
        let error = failure { try WebSocketClient(server.url(), configuration: log.configuration()) }
        #expect(error?.httpResponse?.status.code == status)
        #expect(server.count == 1)
        #expect(log.all.isEmpty)
    }

    @Test("does not try a wrong 101 again")
    func wrongUpgrade() throws {
        let server = try NumberedServer { _, peer in try peer.acceptUpgrade(acceptOverride: "wrong") }
        defer { server.stop() }
        let error = failure { try WebSocketClient(server.url(), configuration: RetryLog().configuration()) }
        #expect(error?.code == .invalidHandshake)
        #expect(server.count == 1)
    }

    @Test("is ended by close in the midst of a wait, and of an attempt", arguments: [false, true])
    func closeWhileConnecting(_ isAttempting: Bool) throws {
        let asked = MonotonicSemaphore()
        let server = try NumberedServer { number, peer in
            guard isAttempting, number == 1 else { return try peer.refuse(500) }
            asked.signal()
            peer.waitForEnd()
        }
        defer { server.stop() }
        let log = RetryLog()
        let client = try WebSocketClient(
            unconnected: server.url(),
            configuration: log.configuration(interval: isAttempting ? .milliseconds(1) : .seconds(60)))
        let connecting = try Background { try client.connect() }
        try log.next()
        if isAttempting { #expect(asked.wait(until: Deadline(after: .seconds(5)))) }
        #expect(failure { try client.readMessage() }?.code == .invalidArgument, "it is not connected yet")
        let time = try Timing.of {
            try client.close(statusCode: 3000, reason: "enough")
            let error = failure { try connecting.value() }
            #expect(error?.code == .connectionClosure)
            #expect(error?.closure == .init(code: 3000, reason: "enough", initiator: .local))
        }
        #expect(time < .milliseconds(200), "\(time)")
        #expect(failure { try client.readMessage() }?.code == .connectionClosure)
        #expect(failure { try client.connect() }?.code == .invalidArgument)
    }

    @Test("lets the application close the client from onRetry, and read nothing there")
    func closeInside() throws {
        let server = try NumberedServer { _, peer in peer.closeConnection() }
        defer { server.stop() }
        let holder = Locked<WebSocketClient?>(nil)
        let errors = Locked<[WebSocketError.Code?]>([])
        var configuration = ClientConfiguration()
        configuration.retryConfig = WebSocketRetryConfig(interval: .seconds(60)) { _ in
            let client = holder.withLock { $0 }
            errors.withLock { $0.append(failure { try client?.readMessage() }?.code) }
            try? client?.close()
        }
        let client = try WebSocketClient(unconnected: server.url(), configuration: configuration)
        holder.withLock { $0 = client }
        defer { holder.withLock { $0 = nil } }
        #expect(failure { try client.connect() }?.code == .connectionClosure)
        #expect(errors.withLock { $0 } == [.invalidArgument])
    }
}
