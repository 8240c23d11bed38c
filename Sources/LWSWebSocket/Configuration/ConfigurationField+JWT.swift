// The settings of tokens in JSON.

extension ConfigurationField {
    /// A ``JWTIssuer``: `signatureConfig` is required, everything else as ``JWTIssuer`` has it. What is not valid in
    /// itself is left to its `validate`.
    func jwtIssuer() throws(WebSocketError) -> JWTIssuer {
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

    private func optionalString() throws(WebSocketError) -> String? { isNull ? nil : try string() }

    /// One, or several in an array.
    private func audience() throws(WebSocketError) -> [String] {
        if isNull { return [] }
        guard isArray else {
            guard let string = value.stringValue else { throw expected("a string, or an array of strings") }
            return [string]
        }
        return try elements().map { field throws(WebSocketError) in try field.string() }
    }

    private func signatureConfig() throws(WebSocketError) -> JWTSignatureConfig {
        var (algorithm, config) = (ConfigurationField?.none, ConfigurationField?.none)
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
    private func signingKey() throws(WebSocketError) -> JWTSigningKey {
        var (keyFile, keyAlias) = (String?.none, String?.none)
        var (keyPassword, passwordField) = (String?.none, ConfigurationField?.none)
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

    private func keyStore() throws(WebSocketError) -> (path: String, password: String) {
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
