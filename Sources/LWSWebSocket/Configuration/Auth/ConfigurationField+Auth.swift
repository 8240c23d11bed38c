// Authentication in JSON.

internal import HTTPTypes

extension ConfigurationField {
    /// The kind follows from the members, as in the contract's table: each has one that no other has.
    func authentication() throws(WebSocketError) -> ClientAuthentication {
        let names = Set(try members().map(\.name))
        if names.contains("token") { return .bearer(token: try texts(["token"])["token"] ?? "") }
        if names.contains("signatureConfig") || names.contains("issuer") { return .jwt(try jwtIssuer()) }
        if !names.isDisjoint(with: ["tokenUrl", "refreshUrl"]) { return .oauth2(try oauth2Grant(names)) }
        let fields = try texts(["username", "password"])
        guard let username = fields["username"], let password = fields["password"] else {
            throw expected("an object with username and password, token, signatureConfig, tokenUrl or refreshUrl")
        }
        return .credentials(username: username, password: password)
    }

    private func oauth2Grant(_ names: Set<String>) throws(WebSocketError) -> OAuth2Grant {
        let fields = try members()
        func text(_ name: String) throws(WebSocketError) -> String? {
            guard let field = fields.first(where: { $0.name == name }), !field.isNull else { return nil }
            return try field.string()
        }
        let (id, secret) = (try text("clientId"), try text("clientSecret"))
        var own: Set<String> = ["clientId", "clientSecret"]
        var grant: OAuth2Grant
        if names.contains("refreshUrl") || names.contains("refreshToken") {
            guard let url = try text("refreshUrl"), let token = try text("refreshToken") else {
                throw expected("an object with refreshUrl and refreshToken")
            }
            own.formUnion(["refreshUrl", "refreshToken"])
            grant = .refreshToken(refreshUrl: url, refreshToken: token, clientId: id, clientSecret: secret)
        } else {
            guard let url = try text("tokenUrl") else { throw expected("an object with tokenUrl") }
            own.insert("tokenUrl")
            if let assertion = try text("assertion") {
                own.insert("assertion")
                grant = .jwtBearer(tokenUrl: url, assertion: assertion, clientId: id, clientSecret: secret)
            } else if let username = try text("username") {
                own.formUnion(["username", "password"])
                guard let password = try text("password") else { throw expected("an object with a password") }
                grant = .password(
                    tokenUrl: url, username: username, password: password, clientId: id, clientSecret: secret)
            } else {
                guard let id, let secret else { throw expected("an object with clientId and clientSecret") }
                grant = .clientCredentials(tokenUrl: url, clientId: id, clientSecret: secret)
            }
        }
        for field in fields where !own.contains(field.name) {
            switch field.name {
            case "scopes": grant.scopes = try field.scopes()
            case "defaultTokenExpTime": grant.defaultTokenExpTime = try field.seconds()
            case "clockSkew": grant.clockSkew = try field.seconds()
            case "optionalParams": grant.optionalParams = try field.parameters()
            case "credentialBearer": grant.credentialBearer = try field.credentialBearer()
            case "clientConfig": grant.clientConfig = try field.oauth2Client()
            case "refreshConfig": grant.refreshConfig = field.isNull ? nil : try field.refreshConfig()
            default: throw field.unknown()
            }
        }
        return grant
    }

    private func refreshConfig() throws(WebSocketError) -> OAuth2RefreshConfig {
        guard isObject else {
            guard try string() == "INFER_REFRESH_CONFIG" else {
                throw expected("an object, or \"INFER_REFRESH_CONFIG\"")
            }
            return .inferred
        }
        var (url, scopes, params) = (String?.none, [String](), [String: String]())
        var (bearer, client) = (OAuth2CredentialBearer.header, OAuth2ClientConfiguration())
        for field in try members() {
            switch field.name {
            case "refreshUrl": url = try field.string()
            case "scopes": scopes = try field.scopes()
            case "optionalParams": params = try field.parameters()
            case "credentialBearer": bearer = try field.credentialBearer()
            case "clientConfig": client = try field.oauth2Client()
            default: throw field.unknown()
            }
        }
        guard let url else { throw expected("an object with refreshUrl") }
        return .configured(
            refreshUrl: url, scopes: scopes, optionalParams: params, credentialBearer: bearer, clientConfig: client)
    }

    private func oauth2Client() throws(WebSocketError) -> OAuth2ClientConfiguration {
        var client = OAuth2ClientConfiguration()
        for field in try members() {
            switch field.name {
            case "customHeaders":
                var headers = ClientConfiguration()
                try headers.addHeaders(field)
                client.customHeaders = headers.customHeaders
            case "customPayload": client.customPayload = field.isNull ? nil : try field.string()
            case "secureSocket": client.secureSocket = field.isNull ? nil : try field.secureSocket()
            case "auth": client.auth = field.isNull ? nil : try field.authentication()
            case "timeout": client.timeout = try field.timeout()
            default: throw field.unknown()
            }
        }
        return client
    }

    /// One, or several in an array, or with spaces between.
    private func scopes() throws(WebSocketError) -> [String] {
        if isNull { return [] }
        guard isArray else { return try string().split(separator: " ").map(String.init) }
        return try strings()
    }

    private func parameters() throws(WebSocketError) -> [String: String] {
        var parameters: [String: String] = [:]
        for field in try members() { parameters[field.name] = try field.string() }
        return parameters
    }

    private func credentialBearer() throws(WebSocketError) -> OAuth2CredentialBearer {
        guard let bearer = OAuth2CredentialBearer(rawValue: try string()) else {
            throw expected("\"AUTH_HEADER_BEARER\" or \"POST_BODY_BEARER\"")
        }
        return bearer
    }
}
