// What the suites on faults of TLS share: settings, servers, and a relay that interferes.

import LWSEchoServer
import LWSServiceLoop
import TestSupport

@testable import LWSWebSocket

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

enum SecureFaults {
    /// Trusts the tests' root, gives up where a test would hang, and does not compress: bytes are to be as many as they
    /// look.
    static func configuration(
        _ change: (inout ClientConfiguration) throws -> Void = { _ in }
    ) throws -> ClientConfiguration {
        var configuration = ClientConfiguration()
        try trust(&configuration)
        (configuration.readTimeout, configuration.writeTimeout) = (.seconds(20), .seconds(20))
        configuration.webSocketCompressionEnabled = false
        try change(&configuration)
        return configuration
    }

    /// Does not resume sessions unless a test asks for it: the system hands ports out again, and where an earlier test's
    /// session has been offered to another server, a failure may pass with the next attempt.
    static func trust(_ configuration: inout ClientConfiguration) throws {
        var secureSocket = ClientSecureSocket()
        secureSocket.shareSession = false
        secureSocket.cert = .pem(.file(try CertificateAuthority.shared.rootFile))
        configuration.secureSocket = secureSocket
    }

    /// An echo server over TLS with a certificate that the tests' root vouches for.
    static func echoServer(
        _ protocols: Set<EchoServer.TLS.Version> = [.tls12, .tls13], leaf: CertificateAuthority.ServerLeaf = .good
    ) throws -> EchoServer {
        let identity = try CertificateAuthority.shared.server(leaf)
        return try EchoServer(
            EchoServer.Configuration(
                tls: .init(
                    certificateFile: identity.chainFile, privateKeyFile: identity.privateKeyFile,
                    protocols: protocols)))
    }

    static func pythonServer(
        port: Int = 0, leaf: CertificateAuthority.ServerLeaf = .good, compression: Bool = false
    ) throws -> PythonWebSocketsServer {
        try PythonWebSocketsServer(
            port: port, compression: compression, tls: .init(CertificateAuthority.shared.server(leaf)))
    }

    /// Processor time that a loop's thread has taken so far.
    static func workTime(of loop: WebSocketLoop) throws -> Duration {
        let answer = Locked(Duration.zero)
        let done = MonotonicSemaphore()
        let lease = try loop.lease()
        lease.loop.perform { _ in
            var time = timespec()
            clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
            answer.withLock { $0 = .seconds(time.tv_sec) + .nanoseconds(time.tv_nsec) }
            done.signal()
        }
        guard done.wait(until: Deadline(after: .seconds(10))) else { throw StillRunning(limit: .seconds(10)) }
        return answer.withLock { $0 }
    }

    /// Processor time that a loop's thread takes while `duration` goes by.
    static func workTime(of loop: WebSocketLoop, during duration: Duration) throws -> Duration {
        let before = try workTime(of: loop)
        _ = MonotonicSemaphore().wait(until: Deadline(after: duration))
        return try workTime(of: loop) - before
    }
}

/// Stands between a client and a TLS server, passes TLS record by record, and interferes as a script says.
final class SecureRelay: Sendable {
    /// One connection through it.
    struct Path: Sendable {
        let client: RawConnection
        let server: RawConnection

        /// Passes records of the client on until it ends; then the server sees the end.
        func passUpstream() {
            while let record = try? RawServer.readRecord(client) { server.send(record) }
            server.closeConnection()
        }

        /// Passes on so many of the server's records, all where no number is given.
        func passDownstream(_ count: Int = .max) {
            var passed = 0
            while passed < count, let record = try? RawServer.readRecord(server), client.send(record) { passed += 1 }
        }

        /// Passes everything in both directions until one side ends.
        func pass() throws {
            let upstream = try Background { passUpstream() }
            passDownstream()
            client.closeConnection()
            try upstream.value()
        }

        /// Passes everything in both directions until there is a signal, and then does what it is told to.
        func pass(until end: MonotonicSemaphore, _ then: () -> Void) throws {
            let upstream = try Background { passUpstream() }
            let downstream = try Background { passDownstream() }
            _ = end.wait(until: Deadline(after: .seconds(20)))
            then()
            client.closeConnection()
            server.closeConnection()
            try upstream.value()
            try downstream.value()
        }
    }

    private let server: NumberedServer

    /// - Parameters:
    ///   - port: that of the TLS server on 127.0.0.1.
    ///   - script: what happens to each connection, counted from 0.
    init(to port: Int, _ script: @escaping @Sendable (Int, Path) throws -> Void) throws {
        server = try NumberedServer { number, peer in
            let upstream = try RawClient(port: port)
            defer { upstream.connection.closeConnection() }
            try script(number, Path(client: peer, server: upstream.connection))
        }
    }

    var count: Int { server.count }
    func url(_ path: String = "/echo") -> String { "wss://127.0.0.1:\(server.port)\(path)" }
    func stop() { server.stop() }
}
