// The settings of a client in JSON, but for those of authentication.

internal import HTTPTypes

extension JSONField {
    /// Header fields, each of which has one value, or several in an array.
    func headers() throws(Mistake) -> HTTPFields {
        var headers: HTTPFields = [:]
        for field in try members() {
            for value in field.isArray ? try field.strings() : [try field.string()] {
                do throws(WebSocketError) { try headers.add(field.name, value, "customHeaders") } catch {
                    throw Mistake(words: "\(error)")
                }
            }
        }
        return headers
    }

    func retryConfig() throws(Mistake) -> WebSocketRetryConfig {
        var retry = WebSocketRetryConfig()
        for (member, field) in try members(of: RetryName.self) {
            switch member {
            case .maxCount: retry.maxCount = try field.integer()
            case .interval: retry.interval = try field.seconds()
            case .backOffFactor: retry.backOffFactor = try field.number()
            case .maxWaitInterval: retry.maxWaitInterval = try field.seconds()
            }
        }
        return retry
    }

    func cookie() throws(Mistake) -> Cookie {
        var (name, value, path) = (String?.none, String?.none, String?.none)
        for (member, field) in try members(of: CookieName.self) {
            switch member {
            case .name: name = try field.string()
            case .value: value = try field.string()
            case .path: path = try field.optionalString()
            }
        }
        guard let name, let value else { throw expected("an object with name and value") }
        return Cookie(name: name, value: value, path: path)
    }

    func compression() throws(Mistake) -> CompressionOptions {
        var options = CompressionOptions()
        for (member, field) in try members(of: CompressionName.self) {
            switch member {
            case .serverNoContextTakeover: options.serverNoContextTakeover = try field.bool()
            case .clientNoContextTakeover: options.clientNoContextTakeover = try field.bool()
            case .serverMaxWindowBits: options.serverMaxWindowBits = field.isNull ? nil : try field.integer()
            case .clientMaxWindowBits: options.clientMaxWindowBits = field.isNull ? nil : try field.integer()
            case .level: options.level = try field.integer()
            }
        }
        return options
    }

    func proxy() throws(Mistake) -> Proxy {
        if value.stringValue == "environment" { return .environment }
        guard value.objectValue != nil else { throw expected("an object, or \"environment\"") }
        var (host, port) = (String?.none, Int?.none)
        var (username, password) = (String?.none, String?.none)
        for (member, field) in try members(of: ProxyName.self) {
            switch member {
            case .host: host = try field.string()
            case .port: port = try field.integer()
            case .username: username = try field.optionalString()
            case .password: password = try field.optionalString()
            }
        }
        guard let host, let port else { throw expected("an object with host and port") }
        return Proxy(host: host, port: port, username: username, password: password)
    }

    private enum RetryName: String, CaseIterable {
        case maxCount, interval, backOffFactor, maxWaitInterval
    }

    private enum CookieName: String, CaseIterable {
        case name, value, path
    }

    private enum CompressionName: String, CaseIterable {
        case serverNoContextTakeover, clientNoContextTakeover, serverMaxWindowBits, clientMaxWindowBits, level
    }

    private enum ProxyName: String, CaseIterable {
        case host, port, username, password
    }

    // MARK: - The settings of TLS in JSON

    func secureSocket() throws(JSONField.Mistake) -> ClientSecureSocket {
        var settings = ClientSecureSocket()
        for (member, field) in try members(of: SecureSocketName.self) {
            switch member {
            case .enable: settings.enable = try field.bool()
            case .cert: settings.cert = field.isNull ? nil : try field.trustRoots()
            case .key: settings.key = field.isNull ? nil : try field.clientKey()
            case .protocol: settings.protocol = Set(try field.versions())
            case .certValidation: settings.certValidation = field.isNull ? nil : try field.certValidation()
            case .ciphers: settings.ciphers = try field.strings()
            case .verifyHostName: settings.verifyHostName = try field.bool()
            case .serverName: settings.serverName = try field.optionalString()
            case .shareSession: settings.shareSession = try field.bool()
            case .sessionTimeout: settings.sessionTimeout = try field.timeout()
            case .handshakeTimeout: settings.handshakeTimeout = try field.timeout()
            case .pinnedPublicKeys:
                settings.pinnedPublicKeys = Set(
                    try field.elements().map { pin throws(JSONField.Mistake) in try pin.publicKeyPin() })
            case .keyLog: settings.keyLog = field.isNull ? nil : try field.keyLog()
            }
        }
        return settings
    }

    /// A PEM file; or an object: of a PKCS#12 store, or of a directory.
    private func trustRoots() throws(JSONField.Mistake) -> TrustRoots {
        guard isObject else { return .pem(.file(try string())) }
        let fields = try texts(["path", "password", "directory"])
        switch (fields["path"], fields["password"], fields["directory"]) {
        case (let path?, nil, nil): return .pem(.file(path))
        case (let path?, let password?, nil): return .pkcs12(.file(path), password: password)
        case (nil, nil, let directory?): return .directory(directory)
        default: throw expected("a path, an object with path and password, or one with directory")
        }
    }

    private func clientKey() throws(JSONField.Mistake) -> ClientKey {
        let fields = try texts(["path", "password", "certFile", "keyFile", "keyPassword"])
        switch (fields["path"], fields["password"], fields["certFile"], fields["keyFile"]) {
        case (let path?, let password?, nil, nil) where fields["keyPassword"] == nil:
            return .pkcs12(.file(path), password: password)
        case (nil, nil, let certFile?, let keyFile?):
            return .pem(certFile: .file(certFile), keyFile: .file(keyFile), keyPassword: fields["keyPassword"])
        default: throw expected("an object with path and password, or one with certFile and keyFile")
        }
    }

    /// The versions, or an object that has them next to the protocol's name.
    private func versions() throws(JSONField.Mistake) -> [TLSVersion] {
        guard !isObject else {
            var versions = Array(ClientSecureSocket().protocol)
            for (member, field) in try members(of: VersionsName.self) {
                switch member {
                case .name:
                    guard try field.string() == "TLS" else { throw field.expected("\"TLS\"") }
                case .versions: versions = try field.versions()
                }
            }
            return versions
        }
        return try elements().map { field throws(JSONField.Mistake) in
            guard let version = TLSVersion(name: try field.string()) else {
                throw field.expected("\"TLSv1.2\", \"TLSv1.3\", \"TLSv1\" or \"TLSv1.1\"")
            }
            return version
        }
    }

    private func certValidation() throws(JSONField.Mistake) -> CertValidation {
        let fields = try texts(["type", "file", "mode"])
        guard let mode = CertValidation.Mode(rawValue: fields["mode"] ?? "hard") else {
            throw expected("the mode \"soft\" or \"hard\"")
        }
        switch (fields["type"], fields["file"]) {
        case ("OCSP_STAPLING"?, nil): return .ocspStapling(mode)
        case ("CRL"?, let file?): return .crl(.file(file), mode)
        default: throw expected("the type \"OCSP_STAPLING\", or the type \"CRL\" and a file")
        }
    }

    private func publicKeyPin() throws(JSONField.Mistake) -> PublicKeyPin {
        guard let pin = PublicKeyPin(base64: try string()) else { throw expected("the Base64 of 32 bytes") }
        return pin
    }

    private func keyLog() throws(JSONField.Mistake) -> ClientSecureSocket.KeyLog {
        let text = try string()
        return text == "environment" ? .environment : .file(text)
    }

    private enum SecureSocketName: String, CaseIterable {
        case enable, cert, key, `protocol`, certValidation, ciphers, verifyHostName, serverName, shareSession,
            sessionTimeout, handshakeTimeout, pinnedPublicKeys, keyLog
    }

    private enum VersionsName: String, CaseIterable {
        case name, versions
    }
}
