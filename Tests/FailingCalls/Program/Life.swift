// What clients live through, from the first call to the last, while one call of the system fails.

import ArgumentParser
import LWSServiceLoop
import LWSWebSocket

/// One way in which a client is used.
enum Life: String, CaseIterable, ExpressibleByArgument {
    /// By an address, on a loop that is started for it, from a network interface.
    case plain
    /// By a name and TLS, with roots, a certificate of its own and revocation lists in files.
    case secure
    /// The same with a session that is resumed.
    case resumed
    /// With a server whose certificate is of other roots, for another name, or revoked.
    case untrusted
    case misnamed
    case revoked
    /// The same with the system's roots, of which there are many.
    case unknown
    /// Through a proxy that is given by name.
    case proxied
    /// By a socket of the file system.
    case unix
    /// With a token that is fetched first.
    case token
    /// Made again after it was lost.
    case again
    /// By tasks.
    case suspended
    /// With many pings of the server's, some of them in one read with a message.
    case pinged
    case pingedSecurely
    /// With a token that is signed.
    case signed

    // MARK: By TLS, each with more of the settings than one server needs

    /// With an OCSP answer, roots in a folder, pins, keys in a store and TLS 1.2.
    case stapled
    /// With a server that is revoked, or for another address, or has none of the pinned keys.
    case stapledRevoked
    case softlyRevoked
    case misaddressed
    case unpinned

    func live(_ peers: Peers, on loop: WebSocketLoop) throws(WebSocketError) {
        switch self {
        case .plain:
            var configuration = Self.patient
            configuration.localAddress = "lo"
            try Self.converse(try client(peers.plain, configuration, WebSocketLoop()))
        case .secure: try Self.echo(try client(peers.secure, secured(peers), loop))
        case .stapled: try Self.echo(try client(peers.stapled, secured(peers), loop))
        case .resumed: try Self.converse(try client(peers.secure, secured(peers), loop))
        case .untrusted, .misnamed, .unknown, .misaddressed, .unpinned:
            _ = try client(peers.secure, secured(peers), loop)
        case .revoked, .softlyRevoked: _ = try client(peers.revoked, secured(peers), loop)
        case .stapledRevoked: _ = try client(peers.stapledRevoked, secured(peers), loop)
        case .proxied:
            var configuration = Self.patient
            configuration.proxy = Proxy(host: "localhost", port: peers.proxy)
            try Self.converse(try client(peers.plain, configuration, loop))
        case .unix: try Self.converse(try client(peers.unix, Self.patient, loop))
        case .token:
            var grant = OAuth2Grant.clientCredentials(
                tokenUrl: peers.token, clientId: "service", clientSecret: "s3cr3t-of-service")
            grant.clientConfig.secureSocket = ClientSecureSocket()
            grant.clientConfig.secureSocket?.cert = .pem(.file(peers.root))
            var configuration = Self.patient
            configuration.auth = .oauth2(OAuth2TokenProvider(grant))
            try Self.echo(try client(peers.plain, configuration, loop))
        case .again:
            var configuration = Self.patient
            configuration.readTimeout = .milliseconds(50)
            configuration.retryConfig = WebSocketRetryConfig(maxCount: 3, interval: .milliseconds(1))
            let client = try client("\(peers.plain)drop/1", configuration, loop)
            for _ in 0..<3 { try Self.echoInTheEnd(client) }
            try client.close(timeout: Self.limit)
        case .pinged: try Self.answerPings(try client(peers.pinging, Self.patient, loop))
        case .pingedSecurely: try Self.answerPings(try client(peers.pingingSecurely, secured(peers), loop))
        case .signed:
            var issuer = JWTIssuer(
                signatureConfig: .key(.es256, .pem(keyFile: .file(peers.signingKey), keyPassword: "secret")))
            issuer.issuer = "client"
            var configuration = Self.patient
            configuration.auth = .jwt(issuer)
            try Self.echo(try client(peers.plain, configuration, loop))
        case .suspended:
            try Self.waiting { () async throws(WebSocketError) in try await converseSuspended(peers, loop) }
        }
    }

    /// Has the runtime open what it keeps.
    func prepare() {
        guard self == .suspended else { return }
        try? Self.waiting { () async throws(WebSocketError) in try? await Task.sleep(for: .milliseconds(1)) }
    }

    /// Nothing here takes that long: where one of the limits ends a call, something has been forgotten.
    static let limit = Duration.seconds(30)

    static var patient: ClientConfiguration {
        var configuration = ClientConfiguration()
        configuration.handShakeTimeout = limit
        configuration.readTimeout = limit
        configuration.writeTimeout = limit
        configuration.maxFrameSize = 1 << 20
        return configuration
    }

    private func client(
        _ url: String, _ configuration: ClientConfiguration, _ loop: WebSocketLoop
    ) throws(WebSocketError) -> WebSocketClient {
        try WebSocketClient(url, configuration: configuration, loop: loop)
    }

    /// More than the system takes at once.
    private static let long = (0..<300_000).map { UInt8(truncatingIfNeeded: $0 ^ $0 >> 8) }

    private static func echo(_ client: WebSocketClient) throws(WebSocketError) {
        try client.writeTextMessage("echo")
        guard try client.readTextMessage() == "echo" else { fatalError("another message") }
    }

    /// The same by one who asks again: what is on its way when a connection is lost is lost with it.
    private static func echoInTheEnd(_ client: WebSocketClient) throws(WebSocketError) {
        for _ in 0..<600 {
            do throws(WebSocketError) {
                return try echo(client)
            } catch  where error.code == .readTimedOut {
                continue
            }
        }
        fatalError("no echo")
    }

    /// Messages that fit into a frame and that do not, compressed as the server likes it, a ping, and the end.
    private static func converse(_ client: WebSocketClient) throws(WebSocketError) {
        try echo(client)
        try client.writeBinaryMessage(long)
        guard try client.readBinaryMessage() == long else { fatalError("another message") }
        _ = try client.roundTripTime(timeout: limit)
        try client.close(timeout: limit)
    }

    /// Pongs that come one after the other in spite of what fails, or no connection any more.
    private static func answerPings(_ client: WebSocketClient) throws(WebSocketError) {
        guard try client.readTextMessage() == "pinged" else { fatalError("another message") }
        try client.writeTextMessage("how many pongs?")
        let pongs = try client.readTextMessage()
        guard pongs == "20" else { fatalError("\(pongs) pongs for 20 pings") }
        try client.close(timeout: limit)
    }

    private func converseSuspended(_ peers: Peers, _ loop: WebSocketLoop) async throws(WebSocketError) {
        let client = try await WebSocketClient.connect(peers.plain, configuration: Self.patient, loop: loop)
        for text in ["echo", String(repeating: "long", count: 50_000)] {
            try await client.send(text)
            guard try await client.receive() == .text(text) else { fatalError("another message") }
        }
        try await client.close(timeout: Self.limit)
    }

    private static func waiting(
        for body: @escaping @Sendable () async throws(WebSocketError) -> Void
    ) throws(WebSocketError) {
        let end = Locked<Result<Void, WebSocketError>>(.success(()))
        let isOver = MonotonicSemaphore()
        Task {
            do throws(WebSocketError) { try await body() } catch { end.withLock { $0 = .failure(error) } }
            isOver.signal()
        }
        _ = isOver.wait(until: .never)
        try end.withLock { $0 }.get()
    }
}
