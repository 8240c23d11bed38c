// Servers that say goodbye and reset the connection.

import LWSServiceLoop
import TestSupport
import Testing

@testable import LWSWebSocket

@Suite("A close frame in front of a reset", .serialized)
struct ResetAfterCloseTests {
    private static let goodbye: [UInt8] = [0x03, 0xf3] + Array("restart".utf8)

    enum Way: CaseIterable, CustomTestStringConvertible {
        case plain, secure, compressed, retrying

        static let playable = allCases.filter { $0 != .compressed || LibraryFeature.compression.isPresent }
        var testDescription: String { "\(self)" }
    }

    /// Sends four messages and its close frame, and ends TCP where data of the client's may be unread.
    private func server(_ way: Way, readsFirst: Bool, resets: Bool) throws -> RawServer {
        let identity = way == .secure ? try TLSIdentity(CertificateAuthority.shared.server(.good)) : nil
        return try RawServer(tls: identity) { peer in
            let fields = way == .compressed ? ["Sec-WebSocket-Extensions: permessage-deflate"] : []
            _ = try? peer.acceptUpgrade(extraHeaders: fields)
            if readsFirst { _ = try? peer.read(100) }
            // In one piece, or the reset would overtake what the system holds back.
            let message = RawFrame(opcode: 2, payload: [UInt8](repeating: 7, count: 1000)).serverBytes
            let last = RawFrame(opcode: 8, payload: Self.goodbye).serverBytes
            peer.send(Array(repeatElement(message, count: 4).joined()) + last)
            if resets { peer.reset() } else { peer.closeConnection() }
        }
    }

    private func configuration(_ way: Way) throws -> ClientConfiguration {
        switch way {
        case .plain, .compressed: ClientConfiguration()
        case .secure: try SecureFaults.configuration()
        case .retrying: RetryLog().configuration(interval: .milliseconds(1))
        }
    }

    @Test(
        "is what ended the connection, and the messages before it are read, whatever the client writes",
        arguments: Way.playable, [0, 1000, 1 << 20])
    func wins(_ way: Way, writing size: Int) throws {
        let payload = (0..<size).map { UInt8(truncatingIfNeeded: ($0 &* 7919) >> 5) }
        for number in 0..<20 {
            let server = try server(way, readsFirst: size > 0, resets: number % 2 == 0)
            defer { server.stop() }
            let url = way == .secure ? "wss://localhost:\(server.port)/" : server.url()
            let client = try WebSocketClient(url, configuration: try configuration(way))
            let writing = try Background {
                while size > 0, failure({ try client.writeBinaryMessage(payload) }) == nil {}
            }
            var count = 0
            var error: WebSocketError?
            while error == nil {
                error = failure { try client.readMessage() }
                if error == nil { count += 1 }
            }
            #expect(count == 4, "\(way) \(size) \(number)")
            #expect(error?.closure == .init(code: 1011, reason: "restart", initiator: .peer, isClean: true))
            try writing.value()
            let later = failure { try client.writeTextMessage("x") }
            #expect(later?.closure == error?.closure)
        }
    }
}
