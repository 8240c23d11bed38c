// What is left behind after many connections over TLS.

import LWSEchoServer
import TestSupport
import Testing

@testable import LWSWebSocket

@Suite("Nothing is left behind over TLS", .serialized)
struct SecureLeakTests {
    private struct Usage: CustomStringConvertible {
        let descriptors: Int
        let threads: Int
        let memory: Int

        init() throws {
            descriptors = try ProcessMetrics.openDescriptors()
            threads = try ProcessMetrics.threads()
            memory = try ProcessMetrics.residentMemory()
        }

        var description: String { "\(descriptors) descriptors, \(threads) threads, \(memory >> 10) KiB" }
    }

    @Test("by 500 clients that connect, exchange a message and close", arguments: [true, false])
    func connectAndClose(_ resumes: Bool) throws {
        // Another process serves, so that its memory does not count.
        let server = try PythonWebSocketsServer(tls: .init(CertificateAuthority.shared.server(.good)))
        defer { server.stop() }
        let configuration = try ClientConfiguration.secure { $0.shareSession = resumes }
        func cycle() throws -> Bool {
            let client = try WebSocketClient(server.url(), configuration: configuration)
            try client.writeTextMessage("x")
            _ = try client.readTextMessage()
            let isResumed = client.tlsInfo?.isResumed ?? false
            try client.close()
            return isResumed
        }
        for _ in 0..<150 { _ = try cycle() }
        let before = try Usage()
        var resumed = 0
        for _ in 0..<500 where try cycle() { resumed += 1 }
        let settled = eventually(within: .seconds(10)) {
            guard let now = try? Usage() else { return false }
            return now.descriptors <= before.descriptors && now.threads <= before.threads
        }
        let after = try Usage()
        let comparison = Comment("before: \(before); after: \(after); resumed: \(resumed)")
        #expect(settled, comparison)
        #expect(Sanitizer.isActive || after.memory - before.memory < 1 << 20, comparison)
        #expect(resumed == (resumes ? 500 : 0))
        #expect(eventually(within: .seconds(5)) { TLSContextPool.shared.count == 0 })
    }
}
