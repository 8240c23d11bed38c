// Authentication in JSON.

extension JSONField {
    /// The kind follows from the members, each of which has one that no other has.
    func authentication() throws(JSONField.Mistake) -> ClientAuthentication {
        let (bearer, credentials) = (["token"], ["username", "password"])
        let (issuer, grant) = (IssuerName.allCases.map(\.rawValue), GrantName.allCases.map(\.rawValue))
        // A name that no kind has comes first: it may be the one that the kind follows from.
        let names = try members(among: bearer + credentials + issuer + grant).map(\.name)
        guard
            let mark = ["token", "signatureConfig", "issuer", "tokenUrl", "refreshUrl"].first(where: names.contains)
        else {
            guard Set(names) == Set(credentials) else {
                throw expected("an object with username and password, token, signatureConfig, tokenUrl or refreshUrl")
            }
            let fields = try texts(credentials)
            guard let username = fields["username"], let password = fields["password"] else {
                throw expected("an object with username and password")
            }
            return .credentials(username: username, password: password)
        }
        switch mark {
        case "token":
            try expectMembers(bearer, beside: mark)
            return .bearer(token: try texts(bearer)["token"] ?? "")
        case "signatureConfig", "issuer":
            try expectMembers(issuer, beside: mark)
            return .jwt(try jwtIssuer())
        default:
            try expectMembers(grant, beside: mark)
            return .oauth2(try oauth2Grant())
        }
    }

    /// - Throws: naming the first member that is none of these.
    private func expectMembers(_ names: [String], beside mark: String) throws(JSONField.Mistake) {
        for field in try members() where !names.contains(field.name) { throw field.misplaced(beside: mark) }
    }

    private func oauth2Grant() throws(JSONField.Mistake) -> OAuth2Grant {
        let fields = try members(of: GrantName.self)
        func has(_ name: GrantName) -> Bool { fields.contains { $0.member == name } }
        func text(_ name: GrantName) throws(JSONField.Mistake) -> String? {
            guard let field = fields.first(where: { $0.member == name })?.field, !field.isNull else { return nil }
            return try field.string()
        }
        let (id, secret) = (try text(.clientId), try text(.clientSecret))
        /// What the kind of grant follows from.
        let mark: GrantName
        var own: Set<GrantName> = [.clientId, .clientSecret]
        var grant: OAuth2Grant
        if has(.refreshUrl) || has(.refreshToken) {
            guard let url = try text(.refreshUrl), let token = try text(.refreshToken) else {
                throw expected("an object with refreshUrl and refreshToken")
            }
            own.formUnion([.refreshUrl, .refreshToken])
            mark = .refreshUrl
            grant = .refreshToken(refreshUrl: url, refreshToken: token, clientId: id, clientSecret: secret)
        } else {
            guard let url = try text(.tokenUrl) else { throw expected("an object with tokenUrl") }
            own.insert(.tokenUrl)
            if let assertion = try text(.assertion) {
                own.insert(.assertion)
                mark = .assertion
                grant = .jwtBearer(tokenUrl: url, assertion: assertion, clientId: id, clientSecret: secret)
            } else if let username = try text(.username) {
                own.formUnion([.username, .password])
                mark = .username
                guard let password = try text(.password) else { throw expected("an object with a password") }
                grant = .password(
                    tokenUrl: url, username: username, password: password, clientId: id, clientSecret: secret)
            } else {
                guard let id, let secret else { throw expected("an object with clientId and clientSecret") }
                mark = .tokenUrl
                grant = .clientCredentials(tokenUrl: url, clientId: id, clientSecret: secret)
            }
        }
        for (member, field) in fields where !own.contains(member) {
            switch member {
            case .scopes: grant.scopes = try field.scopes()
            case .defaultTokenExpTime: grant.defaultTokenExpTime = try field.seconds()
            case .clockSkew: grant.clockSkew = try field.seconds()
            case .optionalParams: grant.optionalParams = try field.parameters()
            case .credentialBearer: grant.credentialBearer = try field.credentialBearer()
            case .clientConfig: grant.clientConfig = try field.oauth2Client()
            case .refreshConfig: grant.refreshConfig = field.isNull ? nil : try field.refreshConfig()
            case .tokenUrl, .refreshUrl, .refreshToken, .clientId, .clientSecret, .assertion, .username, .password:
                guard field.isNull else { throw field.misplaced(beside: mark.rawValue) }
            }
        }
        return grant
    }

    private func refreshConfig() throws(JSONField.Mistake) -> OAuth2RefreshConfig {
        guard isObject else {
            guard try string() == "INFER_REFRESH_CONFIG" else {
                throw expected("an object, or \"INFER_REFRESH_CONFIG\"")
            }
            return .inferred
        }
        var (url, scopes, params) = (String?.none, [String](), [String: String]())
        var (bearer, client) = (OAuth2CredentialBearer.header, OAuth2ClientConfiguration())
        for (member, field) in try members(of: RefreshName.self) {
            switch member {
            case .refreshUrl: url = try field.string()
            case .scopes: scopes = try field.scopes()
            case .optionalParams: params = try field.parameters()
            case .credentialBearer: bearer = try field.credentialBearer()
            case .clientConfig: client = try field.oauth2Client()
            }
        }
        guard let url else { throw expected("an object with refreshUrl") }
        return .configured(
            refreshUrl: url, scopes: scopes, optionalParams: params, credentialBearer: bearer, clientConfig: client)
    }

    private func oauth2Client() throws(JSONField.Mistake) -> OAuth2ClientConfiguration {
        var client = OAuth2ClientConfiguration()
        for (member, field) in try members(of: OAuth2ClientName.self) {
            switch member {
            case .customHeaders:
                client.customHeaders = try field.headers()
            case .customPayload: client.customPayload = try field.optionalString()
            case .secureSocket: client.secureSocket = field.isNull ? nil : try field.secureSocket()
            case .auth: client.auth = field.isNull ? nil : try field.authentication()
            case .timeout: client.timeout = try field.timeout()
            }
        }
        return client
    }

    /// One, or several in an array, or with spaces between.
    private func scopes() throws(JSONField.Mistake) -> [String] {
        if isNull { return [] }
        guard isArray else { return try string().split(separator: " ").map(String.init) }
        return try strings()
    }

    private func parameters() throws(JSONField.Mistake) -> [String: String] {
        var parameters: [String: String] = [:]
        for field in try members() { parameters[field.name] = try field.string() }
        return parameters
    }

    private func credentialBearer() throws(JSONField.Mistake) -> OAuth2CredentialBearer {
        guard let bearer = OAuth2CredentialBearer(rawValue: try string()) else {
            throw expected("\"AUTH_HEADER_BEARER\" or \"POST_BODY_BEARER\"")
        }
        return bearer
    }

    private enum GrantName: String, CaseIterable {
        case tokenUrl, refreshUrl, refreshToken, clientId, clientSecret, assertion, username, password
        case scopes, defaultTokenExpTime, clockSkew, optionalParams, credentialBearer, clientConfig, refreshConfig
    }

    private enum RefreshName: String, CaseIterable {
        case refreshUrl, scopes, optionalParams, credentialBearer, clientConfig
    }

    private enum OAuth2ClientName: String, CaseIterable {
        case customHeaders, customPayload, secureSocket, auth, timeout
    }

    // MARK: - The settings of tokens in JSON

    /// A ``JWTIssuer``: `signatureConfig` is required, everything else as ``JWTIssuer`` has it. What is not valid in
    /// itself is left to its `validate`.
    func jwtIssuer() throws(JSONField.Mistake) -> JWTIssuer {
        var (signature, rest) = (JWTSignatureConfig?.none, JWTIssuer(signatureConfig: .none))
        for (member, field) in try members(of: IssuerName.self) {
            switch member {
            case .issuer: rest.issuer = try field.optionalString()
            case .username: rest.username = try field.optionalString()
            case .audience: rest.audience = try field.audience()
            case .jwtId: rest.jwtId = try field.optionalString()
            case .keyId: rest.keyId = try field.optionalString()
            case .customClaims:
                guard let claims = field.value.objectValue else { throw field.expected("an object") }
                rest.customClaims = claims
            case .expTime: rest.expTime = try field.seconds()
            case .signatureConfig: signature = try field.signatureConfig()
            }
        }
        // A token without a signature is nothing to make because somebody forgot to ask for one.
        guard let signature else { throw expected("an object with signatureConfig") }
        rest.signatureConfig = signature
        return rest
    }

    /// One, or several in an array.
    private func audience() throws(JSONField.Mistake) -> [String] {
        if isNull { return [] }
        guard isArray else {
            guard let string = value.stringValue else { throw expected("a string, or an array of strings") }
            return [string]
        }
        return try strings()
    }

    private func signatureConfig() throws(JSONField.Mistake) -> JWTSignatureConfig {
        var (algorithm, config) = (JSONField?.none, JSONField?.none)
        for (member, field) in try members(of: SignatureName.self) {
            switch member {
            case .algorithm: algorithm = field
            case .config: config = field.isNull ? nil : field
            }
        }
        guard let algorithm else { throw expected("an object with algorithm") }
        let name = try algorithm.string()
        if name == "NONE" {
            if let config { throw config.expected("nothing with the algorithm NONE") }
            return .none
        }
        if let method = JWTSignatureConfig.HMACAlgorithm(rawValue: name) {
            guard let config else { throw expected("an object with config, which is the secret") }
            return .hmac(method, secret: try config.string())
        }
        guard let method = JWTSignatureConfig.KeyAlgorithm(rawValue: name) else {
            let known =
                JWTSignatureConfig.KeyAlgorithm.allCases.map(\.rawValue)
                + JWTSignatureConfig.HMACAlgorithm.allCases.map(\.rawValue)
            throw algorithm.expected("\(known.joined(separator: ", ")) or NONE")
        }
        guard let config else { throw expected("an object with config, which has the key") }
        return .key(method, try config.signingKey())
    }

    /// A PEM file, or a PKCS#12 store. In a store all keys have the store's password; another next to it is a
    /// mistake.
    private func signingKey() throws(JSONField.Mistake) -> JWTSigningKey {
        var (keyFile, keyAlias) = (String?.none, String?.none)
        var (keyPassword, passwordField) = (String?.none, JSONField?.none)
        var keyStore: (path: String, password: String)?
        for (member, field) in try members(of: SigningKeyName.self) {
            switch member {
            case .keyFile: keyFile = try field.optionalString()
            case .keyPassword: (keyPassword, passwordField) = (try field.optionalString(), field)
            case .keyStore: keyStore = field.isNull ? nil : try field.keyStore()
            case .keyAlias: keyAlias = try field.optionalString()
            }
        }
        switch (keyFile, keyStore) {
        case (let keyFile?, nil) where keyAlias == nil:
            return .pem(keyFile: .file(keyFile), keyPassword: keyPassword)
        case (nil, let keyStore?):
            if let passwordField, let keyPassword, keyPassword != keyStore.password {
                throw passwordField.expected("the password of the keyStore, which its keys have as well")
            }
            return .pkcs12(.file(keyStore.path), alias: keyAlias, password: keyStore.password)
        default: throw expected("an object with keyFile, or one with keyStore and perhaps keyAlias")
        }
    }

    private func keyStore() throws(JSONField.Mistake) -> (path: String, password: String) {
        var (path, password) = (String?.none, String?.none)
        for (member, field) in try members(of: KeyStoreName.self) {
            switch member {
            case .path: path = try field.string()
            case .password: password = try field.string()
            }
        }
        guard let path, let password else { throw expected("an object with path and password") }
        return (path, password)
    }

    enum IssuerName: String, CaseIterable {
        case issuer, username, audience, jwtId, keyId, customClaims, expTime, signatureConfig
    }

    private enum SignatureName: String, CaseIterable {
        case algorithm, config
    }

    private enum SigningKeyName: String, CaseIterable {
        case keyFile, keyPassword, keyStore, keyAlias
    }

    private enum KeyStoreName: String, CaseIterable {
        case path, password
    }
}
