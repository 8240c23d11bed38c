// What is tried again over TLS: other addresses, other attempts, a lost connection.

import LWSEchoServer
import LWSServiceLoop
import TestSupport
import Testing

@testable import LWSWebSocket

@Suite("Trying again over TLS", .serialized)
struct SecureRetryTests {
    private func configuration(
        _ log: RetryLog = RetryLog(), maxCount: Int = 0, sharesSession: Bool = false
    ) throws -> ClientConfiguration {
        var configuration = log.configuration(maxCount: maxCount)
        try SecureFaults.trust(&configuration)
        configuration.secureSocket?.shareSession = sharesSession
        // It may take a server long to start again.
        (configuration.readTimeout, configuration.writeTimeout) = (Timing.ages, Timing.ages)
        return configuration
    }

    private func client(
        _ port: Int, _ addresses: [String], _ configuration: ClientConfiguration
    ) throws -> WebSocketClient {
        let url = "wss://localhost:\(port)/echo"
        return try WebSocketClient(url, configuration, .shared, FixedResolver(addresses))
    }

    // MARK: - Addresses

    @Test("follows an address that refuses TCP by the next")
    func refusedAddress() throws {
        let server = try SecureFaults.echoServer()
        defer { server.stop() }
        let addresses = ["127.0.0.2", "255.255.255.255", "127.0.0.1"]
        let client = try client(server.port, addresses, SecureFaults.configuration())
        try client.connect()
        try client.writeTextMessage("x")
        #expect(try client.readTextMessage() == "x")
        try client.close()
    }

    @Test("follows an address whose TLS fails by no other")
    func failedAddress() throws {
        let server = try NumberedServer { _, peer in
            try RawServer.readRecord(peer)
            peer.send([21, 3, 3, 0, 2, 2, 80])
            peer.endOutput()
            peer.waitForEnd()
        }
        defer { server.stop() }
        let client = try client(
            server.port, ["127.0.0.2", "127.0.0.1", "127.0.0.1", "127.0.0.1"], SecureFaults.configuration())
        let error = failure { try client.connect() }
        #expect(error?.code == .ssl)
        #expect(error?.host == "localhost")
        #expect(error?.description.contains("localhost ended TLS with an alert: internal error") == true)
        #expect(server.count == 1)
    }

    @Test("follows an address whose certificate is not trusted by no other")
    func distrustedAddress() throws {
        let server = try SecureFaults.echoServer(leaf: .selfSigned)
        defer { server.stop() }
        let relay = try SecureRelay(to: server.port) { _, path in try path.pass() }
        defer { relay.stop() }
        let client = try WebSocketClient(
            relay.url(), SecureFaults.configuration(), .shared, FixedResolver(["127.0.0.1", "127.0.0.1"]))
        let error = failure { try client.connect() }
        #expect(error?.code == .ssl && error?.description.contains("self-signed") == true)
        #expect(relay.count == 1)
    }

    // MARK: - Attempts

    @Test("tries a handshake again that TCP ended, and one that took too long")
    func ended() throws {
        let server = try SecureFaults.echoServer()
        defer { server.stop() }
        // The last handshake has to be done within what is too long for the third.
        let isOpen = try succeedsWithSomeLimit { limit in
            let relay = try SecureRelay(to: server.port) { number, path in
                guard number < 4 else { return try path.pass() }
                try RawServer.readRecord(path.client)
                switch number {
                case 0: path.client.closeConnection()
                case 1: path.client.reset()
                case 2: path.client.waitForEnd()
                default:
                    path.client.send([21, 3, 3, 0, 2, 1, 0])
                    path.client.endOutput()
                    path.client.waitForEnd()
                }
            }
            defer { relay.stop() }
            let log = RetryLog()
            var configuration = try configuration(log, maxCount: 4)
            configuration.secureSocket?.handshakeTimeout = limit
            let client = try WebSocketClient(unconnected: relay.url(), configuration: configuration)
            let error = failure { try client.connect() }
            #expect(log.all.count == 4 && log.all.allSatisfy { $0.error.code == .ssl && $0.error.isRetriable })
            guard error == nil else {
                #expect(error?.code == .ssl)
                return false
            }
            #expect(relay.count == 5)
            #expect(client.isOpen)
            try client.close()
            return true
        }
        #expect(isOpen)
    }

    @Test(
        "does not try a certificate again that is not accepted",
        arguments: [CertificateAuthority.ServerLeaf.expired, .selfSigned, .unknownRoot, .wrongHost, .notYetValid])
    func refused(_ leaf: CertificateAuthority.ServerLeaf) throws {
        let server = try SecureFaults.echoServer(leaf: leaf)
        defer { server.stop() }
        let relay = try SecureRelay(to: server.port) { _, path in try path.pass() }
        defer { relay.stop() }
        let log = RetryLog()
        let error = failure { try WebSocketClient(relay.url(), configuration: configuration(log)) }
        #expect(error?.code == .ssl)
        #expect(error?.isRetriable == false)
        #expect(error?.description.contains("127.0.0.1") == true)
        #expect(relay.count == 1 && log.all.isEmpty)
    }

    @Test("does not try again what no TLS server answers, nor an alert")
    func final() throws {
        for server in [try RawServer.answeringPlainHTTP(), try RawServer.alerting(40)] {
            defer { server.stop() }
            let log = RetryLog()
            let error = failure { try WebSocketClient(server.secureURL(), configuration: configuration(log)) }
            #expect(error?.code == .ssl)
            #expect(log.all.isEmpty)
        }
    }

    @Test("stops after maxCount attempts, with the last one's error")
    func maxCount() throws {
        let server = try RawServer.endingInHandshake()
        defer { server.stop() }
        let log = RetryLog()
        let error = failure {
            try WebSocketClient(server.secureURL(), configuration: configuration(log, maxCount: 3))
        }
        #expect(error?.code == .ssl)
        #expect(log.all.count == 3)
    }

    // MARK: - A lost connection

    @Test("makes a connection again to a server that was killed and started again, with a handshake of its own")
    func killed() throws {
        let first = try SecureFaults.pythonServer()
        let log = RetryLog()
        let client = try WebSocketClient(first.url("/tls"), configuration: configuration(log, sharesSession: true))
        let seen = try PythonWebSocketsServer.TLSFacts(json: client.readTextMessage())
        #expect(seen.version == "TLSv1.3" && !seen.reused)
        try client.writeTextMessage("before")
        #expect(try client.readTextMessage() == "before")
        first.kill()
        #expect(eventually { !client.isOpen })
        let reading = try Background { try client.readTextMessage() }
        try log.next()
        let second = try SecureFaults.pythonServer(port: first.port)
        defer { second.stop() }
        // The session that the client has is of keys that this server does not know.
        let facts = try PythonWebSocketsServer.TLSFacts(json: reading.value())
        #expect(facts.version == "TLSv1.3" && !facts.reused)
        #expect(client.tlsInfo?.version == .tls13 && client.tlsInfo?.isResumed == false)
        try client.writeTextMessage("after")
        #expect(try client.readTextMessage() == "after")
        try client.close()
    }

    @Test("resumes the session where only the connection was lost")
    func resumed() throws {
        let server = try SecureFaults.pythonServer()
        defer { server.stop() }
        let mayReset = MonotonicSemaphore()
        let relay = try SecureRelay(to: server.port) { number, path in
            guard number == 0 else { return try path.pass() }
            try path.pass(until: mayReset) { path.client.reset() }
        }
        defer { relay.stop() }
        let client = try WebSocketClient(relay.url("/tls"), configuration: configuration(sharesSession: true))
        #expect(try !PythonWebSocketsServer.TLSFacts(json: client.readTextMessage()).reused)
        mayReset.signal()
        #expect(try PythonWebSocketsServer.TLSFacts(json: client.readTextMessage()).reused)
        #expect(client.tlsInfo?.isResumed == true)
        #expect(client.tlsInfo?.peerCertificates.isEmpty == false)
        try client.close()
    }

    @Test("ends with the reason where the server has another certificate by then, and is not told of it again")
    func changedCertificate() throws {
        let first = try SecureFaults.pythonServer()
        let log = RetryLog()
        let client = try WebSocketClient(first.url("/tls"), configuration: configuration(log, sharesSession: true))
        _ = try client.readTextMessage()
        first.kill()
        #expect(eventually { !client.isOpen })
        let second = try SecureFaults.pythonServer(port: first.port, leaf: .expired)
        defer { second.stop() }
        let error = failure { try client.readTextMessage() }
        #expect(error?.code == .ssl)
        #expect(error?.description.contains("has expired") == true, "\(error?.description ?? "none")")
        let later = failure { try client.readTextMessage() }
        #expect(later?.code == .connectionClosure)
        #expect(later?.description.contains("has expired") == true)
        #expect(log.all.count == 1)
    }
}
