// The clients that cases are played to, and what is asked of them.

import LWSServiceLoop
import LWSWebSocket
import Logging
import TestSupport

extension FuzzWorker {
    /// The limit of what a server that falls silent leaves open.
    private static let shortLimit = Duration.milliseconds(150)
    /// Bytes of a message that clients take.
    private static let messageLimit = 1 << 20

    private func server(_ isSecure: Bool) -> RawServer { isSecure ? secure : plain }

    // MARK: - What a server sends

    func play(_ play: Play, _ isSecure: Bool, _ choices: inout Choices) throws(FuzzFault) {
        var configuration = configuration(play)
        configuration.chooseLimits(for: play, &choices)
        if play.isHandshake {
            if choices.once(in: 4) { configuration.subProtocols = ["chat"] }
            configuration.followRedirects = choices.once(in: 4) ? 2 : 0
        } else {
            configuration.handShakeTimeout = Self.limit
        }
        let writes = choices.once(in: 8)
        try check(play) { (result) throws(WebSocketError) in
            let client = try WebSocketClient(server(isSecure).url(path), configuration: configuration)
            result.response = client.httpResponse
            if writes { try? client.writeTextMessage("from the client") }
            try read(client, play.expectation.messages?.count ?? 0, into: &result)
        }
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

    func playToCallers(_ isSecure: Bool, _ choices: inout Choices) throws(FuzzFault) {
        let callers = Callers.choose(&choices)
        let loop = choices.once(in: 2) ? ownLoop : .shared
        let play = Callers.play(&choices)
        var configuration = configuration(play)
        configuration.readTimeout = callers.callTimeout
        configuration.chooseLimits(for: play, &choices)
        let fault = try serving(play) { () throws(FuzzFault) in
            do throws(WebSocketError) {
                let client = try WebSocketClient(server(isSecure).url(path), configuration: configuration, loop: loop)
                return callers.work(on: client, play, choices)
            } catch {
                // A reset may come before the client has read the answer.
                return play.ending.isReset ? nil : "not connected: \(error)"
            }
        }
        if let fault { throw FuzzFault(description: fault) }
    }

    // MARK: - Connecting by others

    func askForToken(_ play: Play, _ isSecure: Bool) throws(FuzzFault) {
        var configuration = configuration(play)
        let scheme = isSecure ? "https" : "http"
        var grant = OAuth2Grant.clientCredentials(
            tokenUrl: "\(scheme)://127.0.0.1:\(server(isSecure).port)\(path)token", clientId: "client",
            clientSecret: "secret")
        grant.clientConfig.secureSocket = configuration.secureSocket
        configuration.auth = .oauth2(grant)
        try check(play) { (result) throws(WebSocketError) in
            try read(WebSocketClient(plain.url(path), configuration: configuration), 1, into: &result)
        }
    }

    func askProxy(_ play: Play) throws(FuzzFault) {
        var configuration = configuration(play)
        configuration.proxy = Proxy(host: "127.0.0.1", port: plain.port)
        try check(play) { (_) throws(WebSocketError) in
            _ = try WebSocketClient("ws://127.0.0.1:\(closedPort)/", configuration: configuration)
        }
    }

    // MARK: - What an application hands in

    func readFiles(_ choices: inout Choices) throws(FuzzFault) {
        if choices.once(in: 3) {
            if let fault = ConfigurationFiles.read(&choices) { throw FuzzFault(description: fault) }
            return
        }
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

    func useSettings(_ isSecure: Bool, _ choices: inout Choices) throws(FuzzFault) {
        let settings: UserSettings
        do throws(WebSocketError) { settings = try UserSettings(&choices) } catch {
            guard error.code == .invalidArgument else {
                throw FuzzFault(description: "a field that is not taken: \(error)")
            }
            return
        }
        let play = Play.echoing(largest: settings.largestFrame) { settings.fault(in: $0) }
        var configuration = configuration(play)
        configuration.adopt(settings.configuration)
        let fault = try serving(play) { () throws(FuzzFault) in
            do throws(WebSocketError) {
                let url = server(isSecure).url(path + settings.path)
                let client = try WebSocketClient(url, configuration: configuration)
                return UserCalls(client, settings).make(&choices)
            } catch {
                // The request is too long, with credentials and without them.
                let isRefused =
                    error.code == .invalidArgument || (error.code == .auth && settings.configuration.auth != nil)
                let words =
                    "\(error.code) is not expected of settings that \(settings.isRight ? "are right" : "may be wrong")"
                return isRefused && !settings.isRight ? nil : "\(words): \(error)"
            }
        }
        if let fault { throw FuzzFault(description: fault) }
    }

    func readDocuments(_ isSecure: Bool, _ choices: inout Choices) throws(FuzzFault) {
        let messages = Documents.Messages(&choices)
        let configuration = configuration(messages.play)
        let fault = try serving(messages.play) { () throws(FuzzFault) in
            do throws(WebSocketError) {
                let client = try WebSocketClient(server(isSecure).url(path), configuration: configuration)
                return messages.read(from: client, &choices)
            } catch {
                return "not connected: \(error)"
            }
        }
        if let fault { throw FuzzFault(description: fault) }
    }

    // MARK: - What came of it

    private func check(
        _ play: Play, _ body: (inout Expectation.Result) throws(WebSocketError) -> Void
    ) throws(FuzzFault) {
        let result = try serving(play) { () throws(FuzzFault) in
            var result = Expectation.Result()
            do throws(WebSocketError) { try body(&result) } catch { result.error = error }
            return result
        }
        if !play.ending.isHold, [.readTimedOut, .handshakeTimedOut].contains(result.error?.code) {
            throw FuzzFault(description: "nothing came of it in time: \(result.error as Any)")
        }
        if let fault = play.expectation.fault(of: result, play.ending) { throw FuzzFault(description: fault) }
    }

    private func configuration(_ play: Play) -> ClientConfiguration {
        var configuration = ClientConfiguration()
        configuration.logger = Logger(label: "fuzz") { _ in UnreadLog() }
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
}

/// Lines at every level are made, and go nowhere.
private struct UnreadLog: LogHandler {
    var metadata: Logger.Metadata = [:]
    var logLevel = Logger.Level.trace

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {}
}

extension ClientConfiguration {
    /// Smaller ones, where nobody expects the messages to arrive.
    fileprivate mutating func chooseLimits(for play: Play, _ choices: inout Choices) {
        guard play.expectation.messages == nil, choices.once(in: 4) else { return }
        maxFrameSize = 1 + choices.size(upTo: 5000)
        maxMessageSize = 1 + choices.size(upTo: 5000)
    }

    /// Takes over what ``UserSettings`` makes up.
    fileprivate mutating func adopt(_ other: ClientConfiguration) {
        (subProtocols, cookies, customHeaders, auth) = (
            other.subProtocols, other.cookies, other.customHeaders, other.auth
        )
        (maxFrameSize, maxMessageSize) = (other.maxFrameSize, other.maxMessageSize)
        loggedPayloadBytes = other.loggedPayloadBytes
    }
}
