// What is left behind after many connections over TLS.

import LWSServiceLoop
import TestSupport
import Testing

@testable import LWSWebSocket

@Suite("Nothing is left behind of TLS", .serialized)
struct SecureLeakTests {
    /// No client has a context any more.
    private func expectNoContexts() {
        #expect(eventually { TLSContextPool.shared.count == 0 })
    }

    @Test(
        "by 200 clients that connect, exchange a message and close", arguments: [false, true],
        [PeerTLSVersion.tls12, .tls13])
    func connectAndClose(_ sharesSession: Bool, _ version: PeerTLSVersion) throws {
        var tls = PythonWebSocketsServer.TLS(try CertificateAuthority.shared.server(.good))
        (tls.oldest, tls.newest) = (version, version)
        let server = try PythonWebSocketsServer(tls: tls)
        defer { server.stop() }
        let configuration = try SecureFaults.configuration { $0.secureSocket?.shareSession = sharesSession }
        var (connected, resumed) = (0, 0)
        try expectNoGrowth(200, warmUp: 50) { index in
            let client = try WebSocketClient(server.url(), configuration: configuration)
            connected += 1
            if client.tlsInfo?.isResumed == true { resumed += 1 }
            try client.writeTextMessage("\(index)")
            #expect(try client.readTextMessage() == "\(index)")
            try client.close()
        }
        // All but the first one.
        #expect(resumed == (sharesSession ? connected - 1 : 0))
        expectNoContexts()
    }

    @Test("by 200 clients that connect and are dropped")
    func connectAndDrop() throws {
        let server = try SecureFaults.pythonServer()
        defer { server.stop() }
        let configuration = try SecureFaults.configuration()
        try expectNoGrowth(200, warmUp: 50) { _ in
            let client = try WebSocketClient(server.url(), configuration: configuration)
            #expect(client.isOpen)
        }
        expectNoContexts()
    }

    @Test("by handshakes that fail, in each way in which they can")
    func failures() throws {
        let port = try FreePort.find()
        let expired = try SecureFaults.pythonServer(leaf: .expired)
        let trusted = try SecureFaults.pythonServer()
        let servers = [
            try RawServer.answeringPlainHTTP(), try RawServer.endingInHandshake(),
            try RawServer.endingInHandshake(reset: true), try RawServer.alerting(80), try RawServer.alerting(40),
        ]
        let silent = try RawServer.silent()
        defer {
            for server in servers + [silent] { server.stop() }
            expired.stop()
            trusted.stop()
        }
        let configuration = try SecureFaults.configuration()
        let quick = try SecureFaults.configuration { $0.secureSocket?.handshakeTimeout = .milliseconds(2) }
        let unreadable = try SecureFaults.configuration { $0.secureSocket?.cert = .pem(.file("/nowhere")) }
        func code(_ url: String, _ configuration: ClientConfiguration) -> WebSocketError.Code? {
            failure { try WebSocketClient(url, configuration: configuration) }?.code
        }
        try expectNoGrowth(60, warmUp: 40) { _ in
            for server in servers { #expect(code(server.secureURL(), configuration) == .ssl) }
            #expect(code(silent.secureURL(), quick) == .ssl)
            #expect(code(expired.url(), configuration) == .ssl)
            #expect(code(expired.url(), unreadable) == .ssl)
            #expect(code(trusted.url("/no"), configuration) == .invalidHandshake)
            #expect(code("wss://127.0.0.1:\(port)/", configuration) == .connection)
        }
        expectNoContexts()
    }

    @Test("by connections that break")
    func breaks() throws {
        let server = try TLSFaultServer(identity: CertificateAuthority.shared.server(.good))
        defer { server.stop() }
        let configuration = try SecureFaults.configuration()
        let faults = TLSFaultServer.Fault.allCases.filter { $0 != .none && $0 != .bytewise }
        try expectNoGrowth(10, warmUp: 4) { _ in
            for fault in faults {
                let client = try WebSocketClient(server.url(fault), configuration: configuration)
                #expect(try client.readTextMessage() == "ready")
                try client.writeTextMessage("x")
                #expect(failure { try client.readMessage() }?.code == .connectionClosure)
            }
        }
        expectNoContexts()
    }

    @Test("by contexts of different settings, of which each is made and goes")
    func contexts() throws {
        let server = try SecureFaults.pythonServer()
        defer { server.stop() }
        var number = 0
        try expectNoGrowth(100, warmUp: 300) { _ in
            number += 1
            // Other settings each time; sessions of the last 256 are kept.
            let configuration = try SecureFaults.configuration {
                $0.secureSocket?.shareSession = true
                $0.secureSocket?.sessionTimeout = .seconds(1000 + number)
            }
            let client = try WebSocketClient(server.url(), configuration: configuration)
            #expect(client.isOpen)
            try client.close()
        }
        expectNoContexts()
    }

    @Test("by loops that come and go")
    func loops() throws {
        let server = try SecureFaults.pythonServer()
        defer { server.stop() }
        let configuration = try SecureFaults.configuration()
        // Several at a time, for a loop stays for a second without clients.
        func cycle(_ number: Int) throws {
            let loops = try (0..<4).map { _ in
                let loop = WebSocketLoop()
                try WebSocketClient(server.url(), configuration: configuration, loop: loop).close()
                return loop
            }
            #expect(eventually { loops.allSatisfy { !$0.isRunning } })
        }
        // Under a sanitizer too, which gets no warm-up from one cycle.
        try cycle(0)
        try expectNoGrowth(2, warmUp: 0, cycle)
        expectNoContexts()
    }
}
