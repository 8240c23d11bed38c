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
                    surroundings.logger.warning(
                        "The certificate of the token endpoint \(url.host) is not verified, for secureSocket.enable is false"
                    )
                }
                let call = HTTPCall(
                    post: post, secureSocket: settings, surroundings: surroundings, deadline: deadline)
                answer = try call.answer()
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
