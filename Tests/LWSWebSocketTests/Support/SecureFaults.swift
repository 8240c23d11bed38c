// What the suites on faults of TLS share: settings, servers, and a relay that interferes.

import LWSEchoServer
import LWSServiceLoop
import TestSupport

@testable import LWSWebSocket

enum SecureFaults {
    /// Trusts the tests' root, gives up where a test would hang, and does not compress: bytes are to be as many as they
    /// look.
    static func configuration(
        _ change: (inout ClientConfiguration) throws -> Void = { _ in }
    ) throws -> ClientConfiguration {
        var configuration = ClientConfiguration()
        try trust(&configuration)
        (configuration.readTimeout, configuration.writeTimeout) = (Timing.ages, Timing.ages)
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
}

/// Whether `body` succeeds with one of several time limits, each longer than the one before. For limits that are tested
/// with real work inside them: a machine that is too slow for the first has time enough in the last.
func succeedsWithSomeLimit(_ body: (Duration) throws -> Bool) rethrows -> Bool {
    let limits: [Duration] = [.milliseconds(200), .seconds(1), .seconds(5), .seconds(20)]
    return try limits.contains(where: body)
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
            _ = end.wait(until: Deadline(after: Timing.ages))
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
