// Tokens of an authorization server, for all clients that share them.

public import HTTPTypes
internal import LWSServiceLoop
internal import Logging

extension ClientAuthentication {
    /// A token of an authorization server: `Authorization: Bearer` (RFC 6750, section 2.1). Clients that are made with
    /// this value, or with copies of it, share its tokens.
    public static func oauth2(_ grant: OAuth2Grant) -> ClientAuthentication { oauth2(OAuth2TokenProvider(grant)) }

    /// The same, with a provider that the application keeps.
    public static func oauth2(_ provider: OAuth2TokenProvider) -> ClientAuthentication {
        ClientAuthentication(provider) { (field) throws(WebSocketError) in try provider.grant.validate(field) }
    }
}

/// Gets tokens by a grant, keeps each until it expires less `clockSkew`, and gets another when it does, or when a server
/// has answered 401 to it.
///
/// However many clients want a token at once, one request for it is under way at a time. It is made on the thread of the
/// first of them, by that client's loop, proxy and time limit; should that client give up, another takes over.
public final class OAuth2TokenProvider: BuiltInAuthenticator {
    let grant: OAuth2Grant
    private let now: @Sendable () -> ContinuousClock.Instant

    private struct Token {
        let value: String
        let end: ContinuousClock.Instant
    }

    /// A thread that waits for what another one fetches.
    private final class Waiter: Sendable {
        let semaphore = MonotonicSemaphore()
        /// `nil` inside: look again.
        let outcome = Locked<Result<String, AuthenticationError>??>(nil)

        func settle(_ result: Result<String, AuthenticationError>?) {
            outcome.withLock { $0 = .some(result) }
            semaphore.signal()
        }
    }

    private struct State {
        var token: Token?
        var refreshToken: String?
        var isFetching = false
        var waiters: [Waiter] = []
        /// The log has been told that the endpoint is reached without TLS.
        var hasWarned = false
    }

    private let state: Locked<State>

    /// Does not ask for anything yet.
    public convenience init(_ grant: OAuth2Grant) { self.init(grant, now: { .now }) }

    /// - Parameter now: the time, for tests to set.
    init(_ grant: OAuth2Grant, now: @escaping @Sendable () -> ContinuousClock.Instant) {
        self.grant = grant
        self.now = now
        var initial = State()
        if case .refreshToken(let token) = grant.kind { initial.refreshToken = token }
        state = Locked(initial)
    }

    /// The refresh token of now, `nil` where there is none. A server may put another in the place of the one that it was
    /// given (RFC 6749, section 6): an application that needs it for its next start has to keep it.
    public var refreshToken: String? { state.withLock { $0.refreshToken } }

    /// The token of now; where there is none, it is asked for.
    public func headerFields(for request: AuthenticationRequest) throws(AuthenticationError) -> HTTPFields {
        [.authorization: "Bearer \(try token(request.surroundings))"]
    }

    /// Gives up the token that was refused, unless there is another already.
    public func wasRefused(_ refusal: AuthenticationRefusal) -> Bool {
        state.withLock { state in
            if let token = state.token, refusal.sent[.authorization] == "Bearer \(token.value)" { state.token = nil }
        }
        return true
    }

    // MARK: - One request at a time

    private enum Turn {
        case have(String)
        case fetch
        case wait(Waiter)
    }

    private func token(_ surroundings: AuthenticationSurroundings) throws(AuthenticationError) -> String {
        while true {
            let turn = state.withLock { state -> Turn in
                if let token = state.token, now() < token.end { return .have(token.value) }
                guard state.isFetching else {
                    state.isFetching = true
                    return .fetch
                }
                let waiter = Waiter()
                state.waiters.append(waiter)
                return .wait(waiter)
            }
            switch turn {
            case .have(let token): return token
            case .fetch: return try lead(surroundings)
            case .wait(let waiter):
                if let token = try follow(waiter, surroundings) { return token }
            }
        }
    }

    /// Fetches a token for everybody.
    private func lead(_ surroundings: AuthenticationSurroundings) throws(AuthenticationError) -> String {
        do throws(AuthenticationError) {
            let token = try fetch(surroundings)
            settle(token, .success(token.value))
            return token.value
        } catch {
            // Where it is this client's own end the others look again, and one of them takes over.
            let isOwn = surroundings.cancellation.isCancelled || surroundings.deadline.hasPassed
            settle(nil, isOwn ? nil : .failure(error))
            throw error
        }
    }

    private func settle(_ token: Token?, _ result: Result<String, AuthenticationError>?) {
        let waiters = state.withLock { state in
            state.token = token
            state.isFetching = false
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in waiters { waiter.settle(result) }
    }

    /// Waits for what another thread fetches. Returns `nil` to look again.
    private func follow(
        _ waiter: Waiter, _ surroundings: AuthenticationSurroundings
    ) throws(AuthenticationError) -> String? {
        let wakeUp: @Sendable () -> Void = { waiter.semaphore.signal() }
        _ = surroundings.cancellation.watched(by: wakeUp) {
            waiter.semaphore.wait(until: surroundings.deadline)
        }
        if let outcome = waiter.outcome.withLock({ $0 }) { return try outcome?.get() }
        state.withLock { $0.waiters.removeAll { $0 === waiter } }
        throw AuthenticationError("another client's request for the same token took too long", isTransient: true)
    }

    // MARK: - Fetching

    private func fetch(_ surroundings: AuthenticationSurroundings) throws(AuthenticationError) -> Token {
        let begin = now()
        warnOfPlainHTTP(surroundings)
        do throws(TokenFailure) {
            let renewed = try renew(surroundings)
            let answer = if let renewed { renewed } else { try start(surroundings) }
            if let token = answer.refreshToken, keepsRefreshTokens { state.withLock { $0.refreshToken = token } }
            let lifetime = (answer.lifetime ?? grant.defaultTokenExpTime) - grant.clockSkew
            return Token(value: answer.accessToken, end: begin.advanced(by: min(lifetime, Self.longestLifetime)))
        } catch {
            throw error.error
        }
    }

    private static let longestLifetime = Duration.seconds(10 * 365 * 24 * 3600)

    /// By the refresh token, where there is one. `nil` where the grant has to be used again.
    private func renew(_ surroundings: AuthenticationSurroundings) throws(TokenFailure) -> TokenAnswer? {
        guard let token = refreshToken else { return nil }
        do throws(TokenFailure) {
            return try refreshEndpoint.token(
                [("grant_type", "refresh_token"), ("refresh_token", token)], surroundings)
        } catch {
            // Revoked, or expired. The password is good for another.
            guard error.isInvalidGrant, case .password = grant.kind else { throw error }
            state.withLock { $0.refreshToken = nil }
            return nil
        }
    }

    /// By the grant itself.
    private func start(_ surroundings: AuthenticationSurroundings) throws(TokenFailure) -> TokenAnswer {
        let parameters: [(name: String, value: String)] =
            switch grant.kind {
            case .clientCredentials: [("grant_type", "client_credentials")]
            case .password(let username, let password):
                [("grant_type", "password"), ("username", username), ("password", password)]
            case .refreshToken(let token): [("grant_type", "refresh_token"), ("refresh_token", token)]
            case .jwtBearer(let assertion):
                [("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"), ("assertion", assertion)]
            }
        return try endpoint.token(parameters, surroundings)
    }

    private var keepsRefreshTokens: Bool {
        switch grant.kind {
        case .refreshToken: true
        case .password: grant.refreshConfig != nil
        case .clientCredentials, .jwtBearer: false
        }
    }

    private var endpoint: TokenEndpoint {
        TokenEndpoint(
            url: grant.tokenUrl, clientId: grant.clientId, clientSecret: grant.clientSecret, scopes: grant.scopes,
            optionalParams: grant.optionalParams, credentialBearer: grant.credentialBearer,
            clientConfig: grant.clientConfig)
    }

    private var refreshEndpoint: TokenEndpoint {
        var endpoint = endpoint
        guard let refresh = grant.refreshConfig?.refresh else { return endpoint }
        endpoint.url = refresh.refreshUrl
        endpoint.scopes = refresh.scopes
        endpoint.optionalParams = refresh.optionalParams
        endpoint.credentialBearer = refresh.credentialBearer
        endpoint.clientConfig = refresh.clientConfig
        return endpoint
    }

    private func warnOfPlainHTTP(_ surroundings: AuthenticationSurroundings) {
        let urls = [grant.tokenUrl, grant.refreshConfig?.refresh?.refreshUrl].compactMap(\.self)
        guard urls.contains(where: { !$0.lowercased().hasPrefix("https:") }) else { return }
        let isFirst = state.withLock { state in
            defer { state.hasWarned = true }
            return !state.hasWarned
        }
        guard isFirst else { return }
        surroundings.log.write(
            .warning,
            "A token endpoint is reached by http:, so that its secrets and tokens can be read on the way")
    }
}

extension OAuth2TokenProvider: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// The kind of the grant alone.
    public var description: String { "OAuth2TokenProvider (\(grant))" }

    /// The same as `description`.
    public var debugDescription: String { description }

    /// Shows nothing of what is inside.
    public var customMirror: Mirror { Mirror(self, children: [:], displayStyle: .class) }
}
