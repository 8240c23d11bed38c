// Plays cases to a real client, one after the other.

import LWSEchoServer
import LWSServiceLoop
import LWSWebSocket
import Logging
package import TestSupport

/// A case that did not end as it should.
package struct FuzzFault: Error, CustomStringConvertible, Sendable {
    package let description: String
}

/// Runs cases, with servers of its own, over TCP and TLS. The clients share the process's loop with everything else, and
/// with a healthy connection that is asked for an echo every now and then. One thread uses it.
package final class FuzzWorker {
    private let current: Locked<Play?>
    private let plain: RawServer
    private let secure: RawServer
    private let healthyServer: EchoServer
    private var healthy: WebSocketClient
    private let files: KeyFiles
    private let rootFile: String
    /// Nobody listens there.
    private let closedPort: Int
    private var count = 0

    /// How long a call may take before it has to give up by itself.
    private static let limit = Duration.seconds(30)
    /// The limit of what a server that falls silent leaves open.
    private static let shortLimit = Duration.milliseconds(150)
    /// Bytes of a message that clients take.
    private static let messageLimit = 1 << 20

    package init(_ authority: CertificateAuthority, _ files: KeyFiles) throws {
        let current = Locked<Play?>(nil)
        self.current = current
        let script: @Sendable (RawConnection) -> Void = { peer in
            guard let request = try? peer.readRequestHead(), let play = current.withLock({ $0 }) else { return }
            play.send(on: peer, request)
        }
        plain = try RawServer(script)
        secure = try RawServer(tls: TLSIdentity(authority.server(.good)), script)
        healthyServer = try EchoServer()
        healthy = try Self.connect(to: healthyServer)
        self.files = files
        rootFile = authority.rootFile
        closedPort = try FreePort.find()
    }

    package func stop() {
        plain.stop()
        secure.stop()
        try? healthy.close()
        healthyServer.stop()
    }

    // MARK: - Cases

    /// Runs one case of a kind.
    package func run(_ input: FuzzInput, _ choices: Choices) throws(FuzzFault) {
        var choices = choices
        let isSecure = choices.int(0...7) == 7
        switch input {
        case .upgrade: try play(UpgradeAnswers.play(&choices, plain.port), isSecure, &choices)
        case .frames: try play(FrameSequence.play(&choices), isSecure, &choices)
        case .close: try play(ClosePayloads.play(&choices), isSecure, &choices)
        case .compressed: try play(CompressedStreams.play(&choices), isSecure, &choices)
        case .files: try readFiles(&choices)
        case .token: try askForToken(TokenAnswers.play(&choices), isSecure)
        case .proxy: try askProxy(ProxyAnswers.play(&choices))
        }
        count += 1
        if count % 64 == 0 { try checkHealthyConnection() }
    }

    private func play(_ play: Play, _ isSecure: Bool, _ choices: inout Choices) throws(FuzzFault) {
        var configuration = configuration(play)
        if play.expectation.messages == nil, choices.once(in: 4) {
            configuration.maxFrameSize = 1 + choices.size(upTo: 5000)
            configuration.maxMessageSize = 1 + choices.size(upTo: 5000)
        }
        if play.isHandshake {
            if choices.once(in: 4) { configuration.subProtocols = ["chat"] }
            configuration.followRedirects = choices.once(in: 4) ? 2 : 0
        } else {
            configuration.handShakeTimeout = Self.limit
        }
        current.withLock { $0 = play }
        let server = isSecure ? secure : plain
        var result = Expectation.Result()
        do throws(WebSocketError) {
            let client = try WebSocketClient(server.url(), configuration: configuration)
            if choices.once(in: 8) { try? client.writeTextMessage("from the client") }
            try read(client, play.expectation.messages?.count ?? 0, into: &result)
        } catch {
            result.error = error
        }
        try check(result, play)
    }

    /// Reads until there is an error. What has to arrive may be late, on a machine that is busy, where the server falls silent
    /// behind it; it is missing only when the long limit is over too.
    private func read(
        _ client: WebSocketClient, _ expected: Int, into result: inout Expectation.Result
    ) throws(WebSocketError) {
        let deadline = ContinuousClock.now + Self.limit
        while true {
            do throws(WebSocketError) {
                result.messages.append(try client.readMessage())
            } catch {
                let isLate = error.code == .readTimedOut && result.messages.count < expected
                guard isLate, ContinuousClock.now < deadline else { throw error }
            }
        }
    }

    private func askForToken(_ play: Play, _ isSecure: Bool) throws(FuzzFault) {
        var configuration = configuration(play)
        let server = isSecure ? secure : plain
        let scheme = isSecure ? "https" : "http"
        var grant = OAuth2Grant.clientCredentials(
            tokenUrl: "\(scheme)://127.0.0.1:\(server.port)/token", clientId: "client", clientSecret: "secret")
        grant.clientConfig.secureSocket = configuration.secureSocket
        configuration.auth = .oauth2(grant)
        try connectToNobody(configuration, play)
    }

    private func askProxy(_ play: Play) throws(FuzzFault) {
        var configuration = configuration(play)
        configuration.proxy = Proxy(host: "127.0.0.1", port: plain.port)
        try connectToNobody(configuration, play)
    }

    private func connectToNobody(_ configuration: ClientConfiguration, _ play: Play) throws(FuzzFault) {
        current.withLock { $0 = play }
        var result = Expectation.Result()
        do throws(WebSocketError) {
            _ = try WebSocketClient("ws://127.0.0.1:\(closedPort)/", configuration: configuration)
        } catch {
            result.error = error
        }
        try check(result, play)
    }

    private func readFiles(_ choices: inout Choices) throws(FuzzFault) {
        var configuration = ClientConfiguration()
        configuration.secureSocket = files.settings(&choices)
        configuration.handShakeTimeout = Self.limit
        do throws(WebSocketError) {
            _ = try WebSocketClient("wss://127.0.0.1:\(closedPort)/", configuration: configuration)
        } catch {
            guard [.ssl, .connection, .invalidArgument].contains(error.code) else {
                throw FuzzFault(description: "\(error.code) is not expected of a file: \(error)")
            }
            return
        }
        throw FuzzFault(description: "connected to nobody")
    }

    private func configuration(_ play: Play) -> ClientConfiguration {
        var configuration = ClientConfiguration()
        configuration.logger = Logger(label: "fuzz") { _ in SwiftLogNoOpLogHandler() }
        let limit = play.ending.isHold ? Self.shortLimit : Self.limit
        configuration.handShakeTimeout = limit
        configuration.readTimeout = limit
        configuration.writeTimeout = limit
        configuration.maxFrameSize = Self.messageLimit
        configuration.maxMessageSize = Self.messageLimit
        var settings = ClientSecureSocket()
        settings.cert = .pem(.file(rootFile))
        configuration.secureSocket = settings
        return configuration
    }

    // MARK: - What came of it

    private func check(_ result: Expectation.Result, _ play: Play) throws(FuzzFault) {
        if !play.ending.isHold, [.readTimedOut, .handshakeTimedOut].contains(result.error?.code) {
            throw FuzzFault(description: "nothing came of it in time: \(result.error as Any)")
        }
        if let fault = play.expectation.fault(of: result, play.ending) { throw FuzzFault(description: fault) }
    }

    /// The loop serves a connection that has nothing to do with all this.
    private func checkHealthyConnection() throws(FuzzFault) {
        do {
            let text = "still here after \(count)"
            try healthy.writeTextMessage(text)
            guard try healthy.readTextMessage() == text else {
                throw FuzzFault(description: "the healthy connection echoed something else")
            }
        } catch {
            throw FuzzFault(description: "the healthy connection failed: \(error)")
        }
    }

    private static func connect(to server: EchoServer) throws -> WebSocketClient {
        var configuration = ClientConfiguration()
        configuration.readTimeout = limit
        configuration.writeTimeout = limit
        return try WebSocketClient("ws://127.0.0.1:\(server.port)/echo", configuration: configuration)
    }
}
