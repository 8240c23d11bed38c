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
        // So long that they outweigh the attempts.
        let waits = [Duration.milliseconds(100), .milliseconds(200), .milliseconds(250)]
        let kept = try Punctuality(
            of: waits.reduce(.zero, +),
            attempt: {
                let server = try NumberedServer { _, peer in try peer.refuse(503) }
                defer { server.stop() }
                let log = RetryLog()
                let configuration = log.configuration(
                    maxCount: 3, interval: waits[0], backOffFactor: 2, maxWaitInterval: waits[2])
                let time = Timing.of {
                    let error = failure { try WebSocketClient(server.url(), configuration: configuration) }
                    #expect(error?.code == .invalidHandshake)
                    #expect(error?.httpResponse?.status.code == 503)
                }
                #expect(server.count == 4)
                #expect(log.all.map(\.wait) == waits)
                #expect(log.all.map(\.attempt) == [0, 1, 2])
                return time
            })
        #expect(kept.isKept, "\(kept)")
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
        let limit = Duration.milliseconds(300)
        configuration.handShakeTimeout = limit
        let time = try Timing.of {
            let client = try WebSocketClient(server.url(), configuration: configuration)
            #expect(client.isOpen)
        }
        // On a busy machine even what is answered may be too late at first.
        let late = log.all
        #expect(server.count >= 3 && late.count >= 2, "\(server.count) connections")
        #expect(late.allSatisfy { $0.error.code == .handshakeTimedOut })
        #expect(late.map(\.attempt) == Array(0..<late.count))
        #expect(time >= limit * late.count, "\(time)")
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
            configuration: log.configuration(
                interval: isAttempting ? .milliseconds(1) : Timing.ages, maxWaitInterval: Timing.ages))
        let connecting = try Background { try client.connect() }
        try log.next()
        if isAttempting { #expect(asked.wait(until: Deadline(after: Timing.ages))) }
        #expect(failure { try client.readMessage() }?.code == .invalidArgument, "it is not connected yet")
        let time = try Timing.of {
            try client.close(statusCode: 3000, reason: "enough")
            let error = failure { try connecting.value() }
            #expect(error?.code == .connectionClosure)
            #expect(error?.closure == .init(code: 3000, reason: "enough", initiator: .local))
        }
        #expect(time < Timing.atOnce, "\(time)")
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
