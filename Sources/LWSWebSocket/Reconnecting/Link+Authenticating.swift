// The part of an attempt in which the client gets its credentials.

internal import HTTPTypes
internal import LWSServiceLoop

extension Link {
    /// What the request has to say of who the client is. Blocks for as long as that takes.
    /// - Parameter refusal: the 401 to the try before, in the same attempt.
    /// - Throws: `auth`.
    func authenticate(
        _ destination: Destination, after refusal: AuthenticationRefusal?, until deadline: Deadline
    ) throws(WebSocketError) -> HTTPFields {
        guard let authenticator = authenticator(for: destination) else { return [:] }
        let request = HTTPRequest(
            method: .get, scheme: destination.url.isSecure ? "wss" : "ws", authority: destination.request.authority,
            path: destination.request.target, headerFields: destination.request.fields)
        let surroundings = AuthenticationSurroundings(
            proxy: configuration.proxy, localAddress: configuration.localAddress, logger: configuration.logger,
            loop: loop, resolver: resolver, deadline: deadline, cancellation: cancellation)
        do throws(AuthenticationError) {
            return try authenticator.headerFields(
                for: AuthenticationRequest(request, after: refusal?.response, surroundings))
        } catch {
            throw WebSocketError(
                .auth, "There are no credentials for \(destination.url.host): \(error)", host: destination.url.host,
                libraryDetail: error.detail, isTransient: error.isTransient)
        }
    }

    /// Tells the authenticator of a 401. Returns it where another try may go better.
    func isWorthAnotherTry(
        _ failure: WebSocketError, _ destination: Destination, sent credentials: HTTPFields
    ) -> AuthenticationRefusal? {
        guard failure.code == .invalidHandshake, let response = failure.httpResponse, response.status.code == 401,
            let authenticator = authenticator(for: destination)
        else { return nil }
        let refusal = AuthenticationRefusal(response, sent: credentials)
        return authenticator.wasRefused(refusal) ? refusal : nil
    }

    /// Credentials stay with the origin that they were given for.
    private func authenticator(for destination: Destination) -> (any HandshakeAuthenticator)? {
        destination.hasLeftOrigin ? nil : configuration.auth?.authenticator
    }
}
