// One case of the matrix of TLS: what the server is like, what the client is told, and what has to come of it.

import Foundation
import HTTPTypes
import TestSupport
import Testing

@testable import LWSWebSocket

/// A server and a client of it, before they meet. As it is, all goes well.
struct SecureAttempt {
    let authority: CertificateAuthority
    var server = SecurePeer.Options()
    /// What the client's URL names. It leads to 127.0.0.1, whatever it is.
    var host = "localhost"
    var path = "/echo"
    /// The client's settings. It trusts the authority's root.
    var tls = ClientSecureSocket()
    var isCompressed = false

    init() throws {
        authority = try CertificateAuthority.shared
        tls.cert = .pem(.file(authority.rootFile))
        // A resumed session's certificate is not verified again, but that is what is tested here.
        tls.shareSession = false
    }

    func connect(to kind: SecurePeer.Kind) throws -> WebSocketClient {
        let peers = try SecurePeers.current
        let port = try peers.server(kind, server).port
        var configuration = ClientConfiguration()
        configuration.secureSocket = tls
        configuration.webSocketCompressionEnabled = isCompressed
        configuration.readTimeout = Timing.ages
        configuration.writeTimeout = Timing.ages
        // Python answers in one frame, which is longer than the message where that cannot be compressed.
        configuration.maxFrameSize = 2 * SecureExchange.size
        let client = try WebSocketClient(
            "wss://\(host):\(port)\(path)", configuration, peers.loop, FixedResolver(["127.0.0.1"]))
        try client.connect()
        return client
    }
}

/// What is told of a case when it fails, and how it differs from one in which all goes well.
struct SecureCase: Sendable, CustomTestStringConvertible {
    let testDescription: String
    /// What the error says; empty where there is to be none.
    let words: [String]
    private let prepare: @Sendable (inout SecureAttempt) throws -> Void

    init(
        _ name: String, says words: String...,
        prepare: @escaping @Sendable (inout SecureAttempt) throws -> Void = { _ in }
    ) {
        testDescription = name
        self.words = words
        self.prepare = prepare
    }

    private init(
        _ name: String, _ words: [String], _ prepare: @escaping @Sendable (inout SecureAttempt) throws -> Void
    ) {
        (testDescription, self.words, self.prepare) = (name, words, prepare)
    }

    /// The same with one version of TLS.
    func limited(to version: TLSVersion) -> SecureCase {
        SecureCase("\(testDescription), \(version)", words) { [prepare] attempt in
            try prepare(&attempt)
            attempt.tls.protocol = [version]
        }
    }

    func attempt() throws -> SecureAttempt {
        var attempt = try SecureAttempt()
        try prepare(&attempt)
        return attempt
    }

    /// Expects that the server is accepted, and that a megabyte goes both ways.
    /// - Parameter check: has a look at the open connection, before anything is read from it.
    func expectAccepted(
        by kind: SecurePeer.Kind, _ check: (WebSocketClient, SecureAttempt) throws -> Void = { _, _ in }
    ) throws {
        let attempt = try attempt()
        let client = try attempt.connect(to: kind)
        #expect(client.isSecure)
        #expect(client.tlsInfo?.isResumed == false)
        try check(client, attempt)
        try SecureExchange.run(client)
    }

    /// Expects that TLS fails for good, in the words of the case, and that the loop still serves others.
    func expectRefused(by kind: SecurePeer.Kind) throws { try expectRefused(by: kind, anyOf: [words], isFinal: true) }

    /// Expects that TLS fails, and that the loop still serves others.
    /// - Parameters:
    ///   - alternatives: what the error says: all words of one of them.
    ///   - isFinal: whether the error says that it will be the same next time.
    func expectRefused(by kind: SecurePeer.Kind, anyOf alternatives: [[String]], isFinal: Bool) throws {
        try #require(!alternatives.isEmpty && alternatives.allSatisfy { !$0.isEmpty })
        let attempt = try attempt()
        let error = failure { try attempt.connect(to: kind) }
        #expect(error?.code == .ssl)
        let description = error?.description ?? "no error"
        #expect(
            alternatives.contains { $0.allSatisfy { description.contains($0) } }, "\(description); \(alternatives)")
        #expect(error?.host == attempt.host)
        #expect(description.contains(attempt.host))
        if isFinal { #expect(error?.isRetriable == false) }
        let good = try SecureAttempt().connect(to: kind)
        try good.writeTextMessage("still here")
        #expect(try good.readTextMessage() == "still here")
        try good.close()
    }
}

/// What is in a file.
func contents(of file: String) throws -> [UInt8] { try Array(Data(contentsOf: URL(fileURLWithPath: file))) }

/// A megabyte there and back.
enum SecureExchange {
    static let size = 1 << 20

    /// No two parts of it are alike.
    private static let noise: [UInt8] = {
        var random = SeededGenerator(seed: 11)
        return random.bytes(size)
    }()

    /// Something that can be compressed, to three bits a byte.
    private static let compressible = noise.map { $0 & 7 }

    static func run(_ client: WebSocketClient) throws {
        for bytes in client.httpResponse?.headerFields[.secWebSocketExtensions] == nil
            ? [noise] : [noise, compressible]
        {
            try client.writeBinaryMessage(bytes)
            let echoed = try client.readBinaryMessage()
            // Not inside the macro, which would print a megabyte.
            let isSame = areSame(echoed, bytes)
            #expect(isSame, "\(echoed.count) bytes came back of \(bytes.count)")
        }
        try client.close()
    }
}
