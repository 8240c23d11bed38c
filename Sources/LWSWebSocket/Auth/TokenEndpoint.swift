// Where tokens are asked for, and what is asked.

internal import HTTPTypes
internal import LWSServiceLoop
internal import Logging

#if canImport(FoundationEssentials)
    internal import FoundationEssentials
#else
    internal import Foundation
#endif

/// An endpoint with the client's credentials at it (RFC 6749, section 3.2).
struct TokenEndpoint: Sendable {
    var url: String
    var clientId: String?
    var clientSecret: String?
    var scopes: [String]
    var optionalParams: [String: String]
    var credentialBearer: OAuth2CredentialBearer
    var clientConfig: OAuth2ClientConfiguration

    /// The URL in the form that connecting needs.
    /// - Throws: `invalidArgument` beginning with the field.
    static func url(_ text: String, _ field: String) throws(WebSocketError) -> WebSocketURL {
        let scheme = text.prefix { $0 != ":" }.lowercased()
        guard ["http", "https"].contains(scheme) else {
            throw WebSocketError(.invalidArgument, "\(field): it is not an https: URL")
        }
        do throws(WebSocketError) {
            return try WebSocketURL((scheme == "https" ? "wss" : "ws") + text.dropFirst(scheme.utf8.count))
        } catch {
            throw WebSocketError(.invalidArgument, "\(field): \(error)")
        }
    }

    /// Asks for a token. Blocks.
    /// - Parameter grant: the parameters of the grant, the first of them its type.
    func token(
        _ grant: [(name: String, value: String)], _ surroundings: AuthenticationSurroundings
    ) throws(TokenFailure) -> TokenAnswer {
        let url: WebSocketURL
        do throws(WebSocketError) { url = try Self.url(self.url, "tokenUrl") } catch {
            throw TokenFailure(AuthenticationError(error))
        }
        var refusal: AuthenticationRefusal?
        while true {
            let credentials = try authorization(url, after: refusal, surroundings)
            let (post, redaction) = request(url, grant, credentials)
            let answer: HTTPAnswer
            do throws(WebSocketError) {
                let deadline = surroundings.deadline.earlier(Deadline(after: clientConfig.timeout))
                let settings = clientConfig.secureSocket ?? ClientSecureSocket()
                if url.isSecure, !settings.enable {
                    surroundings.log.write(
                        .warning,
                        "The certificate of the token endpoint \(url.host) is not verified, for secureSocket.enable is false"
                    )
                }
                let call = HTTPCall(
                    post: post, secureSocket: settings, surroundings: surroundings, deadline: deadline)
                surroundings.log.write(.debug, "asking for a token", ["ws_token_endpoint": .string(url.host)])
                answer = try call.answer()
                surroundings.log.write(
                    .debug, "answered", ["ws_status": .stringConvertible(answer.response.status.code)])
            } catch {
                let words = redaction.clean("\(error)")
                throw TokenFailure(
                    AuthenticationError(
                        "the token endpoint \(url.host) could not be asked: \(words)", isTransient: error.isRetriable,
                        detail: error.libraryDetail.map(redaction.clean)))
            }
            let isRefused = answer.response.status.code == 401
            if isRefused, refusal == nil, let own = clientConfig.auth?.authenticator {
                let seen = AuthenticationRefusal(answer.response, sent: credentials)
                if own.wasRefused(seen) {
                    refusal = seen
                    continue
                }
            }
            return try TokenAnswer(answer, from: url.host, redaction)
        }
    }

    /// The fields of the request's own authentication.
    private func authorization(
        _ url: WebSocketURL, after refusal: AuthenticationRefusal?, _ surroundings: AuthenticationSurroundings
    ) throws(TokenFailure) -> HTTPFields {
        guard let authenticator = clientConfig.auth?.authenticator else { return [:] }
        let request = HTTPRequest(
            method: .post, scheme: url.isSecure ? "https" : "http", authority: url.authority, path: url.target,
            headerFields: clientConfig.customHeaders)
        do throws(AuthenticationError) {
            return try authenticator.headerFields(
                for: AuthenticationRequest(request, after: refusal?.response, surroundings))
        } catch {
            throw TokenFailure(error)
        }
    }

    /// The request, and what must not be shown of its answer.
    private func request(
        _ url: WebSocketURL, _ grant: [(name: String, value: String)], _ credentials: HTTPFields
    ) -> (HTTPPost, Redaction) {
        var form = grant
        if !scopes.isEmpty { form.append(("scope", scopes.joined(separator: " "))) }
        for (name, value) in optionalParams.sorted(by: { $0.key < $1.key }) { form.append((name, value)) }
        var fields = clientConfig.customHeaders
        fields.completeUserAgent(of: clientConfig.customHeaders)
        fields[.contentType] = "application/x-www-form-urlencoded"
        if fields[.accept] == nil { fields[.accept] = "application/json" }
        switch (clientId, clientSecret, credentialBearer) {
        case (nil, _, _): break
        case (let id?, nil, _): form.append(("client_id", id))
        case (let id?, let secret?, .postBody):
            form.append(("client_id", id))
            form.append(("client_secret", secret))
        case (let id?, let secret?, .header):
            // Each in the form's encoding first (RFC 6749, section 2.3.1).
            let pair = "\(FormEncoding.encode(id)):\(FormEncoding.encode(secret))"
            fields[.authorization] = "Basic \(Data(pair.utf8).base64EncodedString())"
        }
        for name in Set(credentials.map(\.name)) { fields[name] = nil }
        for field in credentials { fields.append(field) }
        var body = FormEncoding.encode(form)
        if let more = clientConfig.customPayload, !more.isEmpty { body += "&\(more)" }

        var secrets = [clientSecret ?? "", clientConfig.customPayload ?? "", body]
        let known: Set<String> = ["grant_type", "scope", "client_id", "username"]
        // Numbers and words such as "true" are no secrets, and would take the sense out of a text.
        secrets += form.filter {
            !known.contains($0.name) && (optionalParams[$0.name] == nil || $0.value.utf8.count > 7)
        }
        .map(\.value)
        for field in fields where field.name == .authorization || clientConfig.customHeaders.contains(field) {
            secrets += [field.value] + field.value.split(separator: " ").dropFirst().map(String.init)
        }
        return (
            HTTPPost(url: url, fields: fields, body: Array(body.utf8)), Redaction(secrets.filter { $0.count > 1 })
        )
    }
}

// MARK: - What a token endpoint answers

/// Why there is no token.
struct TokenFailure: Error {
    let error: AuthenticationError
    /// What was given for it is not valid any more (`invalid_grant`; RFC 6749, section 5.2).
    let isInvalidGrant: Bool

    init(_ error: AuthenticationError, isInvalidGrant: Bool = false) {
        self.error = error
        self.isInvalidGrant = isInvalidGrant
    }
}

/// A successful answer (RFC 6749, section 5.1).
struct TokenAnswer: Sendable {
    let accessToken: String
    /// `nil` where it does not say.
    let lifetime: Duration?
    let refreshToken: String?

    init(_ answer: HTTPAnswer, from host: String, _ redaction: Redaction) throws(TokenFailure) {
        let status = answer.response.status
        func failure(_ what: String, isTransient: Bool = false, isInvalidGrant: Bool = false) -> TokenFailure {
            TokenFailure(
                AuthenticationError("the token endpoint \(host) \(what)", isTransient: isTransient),
                isInvalidGrant: isInvalidGrant)
        }
        guard status.kind != .redirection else {
            throw failure("redirected the request (\(status.code)), which is not followed; check its URL")
        }
        let json = Self.json(answer.body)
        let isTransient = status.kind == .serverError || status.code == 429
        if let error = json?["error"]?.stringValue {
            let description = json?["error_description"]?.stringValue.map { ": \($0)" } ?? ""
            throw failure(
                "refused (\(status.code)): \(redaction.clean(error + description))",
                isTransient: isTransient || error == "temporarily_unavailable",
                isInvalidGrant: error == "invalid_grant")
        }
        guard status.kind == .successful else {
            throw failure("answered with status \(status.code)", isTransient: isTransient)
        }
        guard let json, json.objectValue != nil else {
            let type = answer.response.headerFields[.contentType].map { ", but \(redaction.clean($0))" } ?? ""
            throw failure("answered with something that is not a JSON object\(type)")
        }
        guard let token = json["access_token"]?.stringValue else { throw failure("answered without an access_token") }
        guard BearerToken.isValid(token) else {
            throw failure("answered with an access_token that cannot be sent")
        }
        if let type = json["token_type"], type.stringValue?.lowercased() != "bearer" {
            throw failure("answered with a token of another type than Bearer")
        }
        accessToken = token
        lifetime = json["expires_in"].flatMap(Self.seconds)
        refreshToken = json["refresh_token"]?.stringValue.flatMap { $0.isEmpty ? nil : $0 }
    }

    private static func json(_ body: [UInt8]) -> JSONValue? {
        guard (try? JSONGuard.check(.binary(body), allowsJSON5: false)) != nil else { return nil }
        return try? JSONDecoder().decode(JSONValue.self, from: Data(body))
    }

    /// A number, as the RFC has it, or the text of one, as some servers do.
    private static func seconds(_ value: JSONValue) -> Duration? {
        guard let seconds = value.doubleValue ?? value.stringValue.flatMap(Double.init), seconds.isFinite else {
            return nil
        }
        return .seconds(min(max(0, seconds), 1e9))
    }
}

// MARK: - A blocking request over HTTP, by the loop of a client

/// Resolves, connects, sends and waits, all until one deadline, as an attempt to connect does; and through the client's
/// proxy, from its address.
struct HTTPCall {
    let post: HTTPPost
    let secureSocket: ClientSecureSocket
    let surroundings: AuthenticationSurroundings
    /// Not after that of the surroundings.
    let deadline: Deadline

    private var host: String { post.url.host }

    /// - Throws: `connection`, `ssl`, `invalidHandshake`, `payloadTooLarge`, `handshakeTimedOut`; `connectionClosure` where
    ///   the client is closed.
    func answer() throws(WebSocketError) -> HTTPAnswer {
        let route = try Route(
            to: post.url, through: surroundings.proxy, from: surroundings.localAddress)
        let tls = post.url.isSecure ? try TLSContextPool.shared.context(for: secureSocket) : nil
        let semaphore = MonotonicSemaphore()
        return try surroundings.cancellation.watched(by: { semaphore.signal() }) { () throws(WebSocketError) in
            let lookUp = LookUp(for: route, by: surroundings.resolver, until: deadline) { semaphore.signal() }
            let addresses = try wait(semaphore, OpeningStep.resolving.words, lookUp.addresses)
            let outcome = Locked<Result<HTTPAnswer, WebSocketError>?>(nil)
            let lease = try surroundings.loop.lease()
            let loop = lease.loop
            let exchange = HTTPExchange(post) { result in
                outcome.withLock { $0 = result }
                semaphore.signal()
            }
            let session = LoopBound(
                ClientSession(
                    as: .request(exchange), by: route, to: addresses, until: deadline, tls: tls, lease: lease),
                on: loop)
            guard loop.perform({ session.get($0).connectToNext($0) }) else {
                throw WebSocketError(.connection, "The client's service loop has ended", host: host)
            }
            do throws(WebSocketError) {
                return try wait(semaphore, "it did not answer") { () throws(WebSocketError) in
                    try outcome.withLock { $0 }?.get()
                }
            } catch {
                // Nothing of it goes on without anybody who wants it.
                loop.perform { session.get($0).abort($0) }
                throw error
            }
        }
    }

    private func wait<Value: Sendable>(
        _ semaphore: MonotonicSemaphore, _ what: String, _ value: () throws(WebSocketError) -> Value?
    ) throws(WebSocketError) -> Value {
        while true {
            if surroundings.cancellation.isCancelled {
                throw WebSocketError(.connectionClosure, "The client was closed", host: host)
            }
            if let value = try value() { return value }
            guard semaphore.wait(until: deadline) else {
                throw WebSocketError(.handshakeTimedOut, "\(host) took too long: \(what)", host: host)
            }
        }
    }
}
