// What can be wrong with a grant, found when a client is made.

internal import HTTPTypes

extension OAuth2Grant {
    /// - Throws: `invalidArgument` beginning with the field.
    func validate(_ field: String) throws(WebSocketError) {
        func invalid(_ member: String, _ what: String) -> WebSocketError {
            WebSocketError(.invalidArgument, "\(field).\(member): \(what)")
        }
        let urlField = if case .refreshToken = kind { "refreshUrl" } else { "tokenUrl" }
        _ = try TokenEndpoint.url(tokenUrl, "\(field).\(urlField)")
        if let clientId, clientId.isEmpty { throw invalid("clientId", "it is empty") }
        if clientSecret != nil, clientId == nil { throw invalid("clientSecret", "there is no clientId to it") }
        switch kind {
        case .clientCredentials: break
        case .password(let username, _):
            guard !username.isEmpty else { throw invalid("username", "it is empty") }
        case .refreshToken(let token):
            guard !token.isEmpty else { throw invalid("refreshToken", "it is empty") }
        case .jwtBearer(let assertion):
            guard !assertion.isEmpty else { throw invalid("assertion", "it is empty") }
        }
        if refreshConfig != nil {
            guard case .password = kind else { throw invalid("refreshConfig", "only the password grant has one") }
        }
        guard defaultTokenExpTime > .zero else { throw invalid("defaultTokenExpTime", "it is not more than zero") }
        guard clockSkew >= .zero else { throw invalid("clockSkew", "it is negative") }
        try Self.validate(scopes, optionalParams, field)
        let sendsBasic = clientId != nil && clientSecret != nil
        try clientConfig.validate(
            "\(field).clientConfig", hasAuthorization: sendsBasic && credentialBearer == .header)
        guard let refresh = refreshConfig?.refresh else { return }
        let refreshField = "\(field).refreshConfig"
        _ = try TokenEndpoint.url(refresh.refreshUrl, "\(refreshField).refreshUrl")
        try Self.validate(refresh.scopes, refresh.optionalParams, refreshField)
        try refresh.clientConfig.validate(
            "\(refreshField).clientConfig", hasAuthorization: sendsBasic && refresh.credentialBearer == .header)
    }

    private static func validate(
        _ scopes: [String], _ params: [String: String], _ field: String
    ) throws(WebSocketError) {
        for (index, scope) in scopes.enumerated() {
            // RFC 6749, section 3.3.
            guard BearerToken.isValid(scope), !scope.contains("\""), !scope.contains("\\") else {
                throw WebSocketError(
                    .invalidArgument, "\(field).scopes: number \(index + 1) has a character that no scope has")
            }
        }
        let own: Set<String> = [
            "grant_type", "client_id", "client_secret", "username", "password", "refresh_token", "assertion", "scope",
        ]
        for name in params.keys.sorted() where own.contains(name) || name.isEmpty {
            throw WebSocketError(
                .invalidArgument, "\(field).optionalParams: \(name.debugDescription) is what the grant itself sets")
        }
    }
}

extension OAuth2ClientConfiguration {
    fileprivate func validate(_ field: String, hasAuthorization: Bool) throws(WebSocketError) {
        try secureSocket?.validate()
        try auth?.validate("\(field).auth")
        for header in customHeaders {
            try header.name.checkMayBeSet("\(field).customHeaders")
            guard !["host", "content-type"].contains(header.name.canonicalName) else {
                throw WebSocketError(
                    .invalidArgument, "\(field).customHeaders: \(header.name.rawName) belongs to the request itself")
            }
        }
        if let customPayload, customPayload.utf8.contains(where: { $0 <= 0x20 || $0 >= 0x7f }) {
            throw WebSocketError(
                .invalidArgument, "\(field).customPayload: it has a character that has to be encoded in a form")
        }
        let others = (auth?.isBuiltIn == true ? 1 : 0) + (customHeaders[.authorization] == nil ? 0 : 1)
        guard others + (hasAuthorization ? 1 : 0) <= 1 else {
            throw WebSocketError(
                .invalidArgument,
                "\(field): there is more than one Authorization for the request; the client's own credentials can go "
                    + "into the form (credentialBearer)")
        }
        if let timeout, timeout == .zero { throw WebSocketError(.invalidArgument, "\(field).timeout: it is zero") }
    }
}
