// What holds for a client's first connection, on its sixth.

import LWSServiceLoop
import TestSupport
import Testing

@testable import LWSWebSocket

@Suite("A connection after five lost ones", .serialized)
struct SixthConnectionTests {
    /// Loses each connection after a message of its own, but keeps the sixth: `script` has that.
    private func server(
        _ isSecure: Bool, _ requests: Locked<[String]>, _ script: @escaping @Sendable (RawConnection) throws -> Void
    ) throws -> NumberedServer {
        let identity = isSecure ? try TLSIdentity(CertificateAuthority.shared.server(.good)) : nil
        return try NumberedServer(tls: identity) { number, peer in
            let request = try peer.acceptUpgrade()
            requests.withLock { $0.append(request) }
            peer.sendFrame(opcode: 1, Array("\(number)".utf8))
            if number < 5 { return peer.closeConnection() }
            try script(peer)
        }
    }

    /// A client that has read from six connections.
    private func client(_ url: String, _ isSecure: Bool) throws -> WebSocketClient {
        var configuration = RetryLog().configuration(interval: .milliseconds(1))
        if isSecure { try SecureFaults.trust(&configuration) }
        let client = try WebSocketClient(url, configuration: configuration)
        for number in 0..<6 { #expect(try client.readTextMessage() == "\(number)") }
        return client
    }

    @Test("is asked for in the same words", arguments: [false, true])
    func request(_ isSecure: Bool) throws {
        let requests = Locked<[String]>([])
        let server = try server(isSecure, requests) { $0.waitForEnd() }
        defer { server.stop() }
        let client = try client(server.url() + "p?q=a%20b%", isSecure)
        try client.close(timeout: .zero)
        let heads = requests.withLock { $0 }.map { head in
            head.split(separator: "\r\n").filter { !$0.hasPrefix("Sec-WebSocket-Key:") }
        }
        #expect(heads.count == 6 && Set(heads).count == 1)
        #expect(heads.first?.first == "GET /p?q=a%20b%25 HTTP/1.1")
        #expect(heads.first?.contains { $0 == "User-Agent: \(UserAgent.library)" } == true, "\(heads)")
    }

    @Test("closes as the first does", arguments: [false, true])
    func closing(_ isSecure: Bool) throws {
        let (answer, frames) = (MonotonicSemaphore(), Locked<[[UInt8]]>([]))
        let server = try server(isSecure, Locked([])) { peer in
            while let frame = try? peer.readFrame() {
                frames.withLock { $0.append(frame.payload) }
                if frame.opcode == 8 { _ = answer.wait(until: Deadline(after: Timing.ages)) }
                peer.sendFrame(opcode: frame.opcode, frame.payload)
            }
        }
        defer { server.stop() }
        let client = try client(server.url(), isSecure)
        #expect(failure { try client.close(statusCode: 99) }?.code == .invalidArgument)
        #expect(client.closure == nil)
        #expect(try client.echoes("x"))
        let reader = try Background { try client.readMessage() }
        let closing = try (0..<2).map { _ in
            try Background { try client.close(statusCode: 3000, reason: "done", timeout: Timing.ages) }
        }
        let error = failure { _ = try reader.value() }
        #expect(error?.code == .connectionClosure && error?.closure?.code == 3000)
        // Nobody was told before the frame was out.
        #expect(eventually { frames.withLock { $0.count } == 2 })
        #expect(closing.allSatisfy { $0.isBlocked() })
        answer.signal()
        for call in closing { try call.value() }
        #expect(frames.withLock { $0 } == [Array("x".utf8), [11, 184] + Array("done".utf8)])
        #expect(client.closure == .init(code: 3000, reason: "done", initiator: .local, isClean: true))
    }
}
