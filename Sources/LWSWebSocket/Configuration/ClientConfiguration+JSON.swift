// A configuration from JSON, for operators who write one in a file.

#if canImport(FoundationEssentials)
    public import FoundationEssentials
#else
    public import Foundation
#endif

extension ClientConfiguration {
    /// Reads a configuration from a JSON object whose members are the fields by their own names. What is
    /// not given has its default.
    ///
    /// ```json
    /// {
    ///   "subProtocols": ["chat.v2", "chat.v1"],
    ///   "customHeaders": {"X-Client": "feed", "X-Tag": ["a", "b"]},
    ///   "cookies": [{"name": "session", "value": "1234", "path": "/"}],
    ///   "readTimeout": 30,
    ///   "writeTimeout": -1,
    ///   "handShakeTimeout": 7.5,
    ///   "maxFrameSize": 65536,
    ///   "maxMessageSize": null,
    ///   "webSocketCompressionEnabled": true,
    ///   "compression": {"serverNoContextTakeover": true, "clientMaxWindowBits": 12, "level": 6},
    ///   "validation": true,
    ///   "proxy": {"host": "proxy.example.com", "port": 8080, "username": "user", "password": "secret"},
    ///   "secureSocket": {
    ///     "cert": {"path": "trust.p12", "password": "secret"},
    ///     "key": {"certFile": "client.pem", "keyFile": "client.key", "keyPassword": "secret"},
    ///     "protocol": ["TLSv1.2", "TLSv1.3"],
    ///     "certValidation": {"type": "CRL", "file": "revoked.pem", "mode": "hard"},
    ///     "ciphers": ["TLS_AES_128_GCM_SHA256", "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"],
    ///     "serverName": "example.com",
    ///     "sessionTimeout": 3600,
    ///     "handshakeTimeout": 10,
    ///     "pinnedPublicKeys": ["sha256/47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="]
    ///   },
    ///   "auth": {
    ///     "tokenUrl": "https://auth.example.com/token",
    ///     "clientId": "feed", "clientSecret": "secret", "scopes": ["read"], "clockSkew": 5,
    ///     "credentialBearer": "AUTH_HEADER_BEARER",
    ///     "clientConfig": {"secureSocket": {"cert": "ca.pem"}, "timeout": 10}
    ///   },
    ///   "localAddress": "192.0.2.1",
    ///   "retryConfig": {"maxCount": 20, "interval": 3, "backOffFactor": 2, "maxWaitInterval": 20},
    ///   "followRedirects": 3,
    ///   "pingInterval": 20,
    ///   "pongTimeout": 5,
    ///   "loggedPayloadBytes": 0
    /// }
    /// ```
    ///
    /// Times are seconds, with decimals; -1 and `null` mean no limit, for `handShakeTimeout` the default. `"proxy":
    /// "environment"` is ``Proxy/environment``; `null` is no proxy. The members of `secureSocket` are those of
    /// ``ClientSecureSocket``: `cert` is a PEM file, `{"path", "password"}` of a PKCS#12 store or `{"directory"}`; `key`
    /// has `certFile`, `keyFile` and `keyPassword`, or `path` and `password`; the type of `certValidation` is
    /// `OCSP_STAPLING` or `CRL`; `keyLog` is a file, or `"environment"`.
    ///
    /// The kind of `auth` follows from its members: `username` and `password`; `token`; those of ``JWTIssuer``, with
    /// `signatureConfig` (`{"algorithm": "RS256", "config": {"keyFile", "keyPassword"}}`, a `keyStore` with `path` and
    /// `password` and a `keyAlias`, or the secret's text); `tokenUrl` or `refreshUrl` with the fields of ``OAuth2Grant``,
    /// whose `refreshConfig` may be `"INFER_REFRESH_CONFIG"`.
    /// - Throws: ``WebSocketError/Code/invalidArgument`` naming the field that is unknown, of another type, not valid, or there
    ///   twice, or the line and column that are not JSON. Values are not shown, for they may be secrets.
    public init(json: some ContiguousBytes) throws(WebSocketError) {
        self.init()
        do throws(JSONField.Mistake) {
            try apply(try JSONField.read(json.withUnsafeBytes { [UInt8]($0) }, "configuration"))
        } catch {
            throw WebSocketError(.invalidArgument, error.words)
        }
        try validate()
    }

    /// Reads a configuration from a file or a pipe, as ``init(json:)`` does. It may have a megabyte.
    /// - Throws: ``WebSocketError/Code/invalidArgument``, with the file's name, and with the system's reason where it cannot be
    ///   read.
    public init(jsonFile path: String) throws(WebSocketError) {
        let json: [UInt8]
        do throws(ConfigurationFile.Failure) { json = try ConfigurationFile.bytes(of: path) } catch {
            throw WebSocketError(.invalidArgument, "configuration: the file \(path) cannot be read: \(error.words)")
        }
        do throws(WebSocketError) { try self.init(json: json) } catch {
            throw WebSocketError(.invalidArgument, "\(path): \(error)")
        }
    }

    private mutating func apply(_ object: JSONField) throws(JSONField.Mistake) {
        for (member, field) in try object.members(of: Name.self) {
            switch member {
            case .subProtocols:
                subProtocols = try field.strings()
            case .cookies:
                cookies = try field.elements().map { cookie throws(JSONField.Mistake) in try cookie.cookie() }
            case .customHeaders: customHeaders = try field.headers()
            case .readTimeout: readTimeout = try field.timeout()
            case .writeTimeout: writeTimeout = try field.timeout()
            case .handShakeTimeout: handShakeTimeout = try field.timeout() ?? Self.defaultHandShakeTimeout
            case .maxFrameSize: maxFrameSize = try field.integer()
            case .maxMessageSize: maxMessageSize = field.isNull ? nil : try field.integer()
            case .webSocketCompressionEnabled: webSocketCompressionEnabled = try field.bool()
            case .compression: compression = try field.compression()
            case .pingInterval: pingInterval = try field.timeout()
            case .pongTimeout: pongTimeout = try field.timeout()
            case .validation: validation = try field.bool()
            case .proxy: proxy = field.isNull ? nil : try field.proxy()
            case .secureSocket: secureSocket = field.isNull ? nil : try field.secureSocket()
            case .auth: auth = field.isNull ? nil : try field.authentication()
            case .localAddress: localAddress = try field.optionalString()
            case .retryConfig: retryConfig = field.isNull ? nil : try field.retryConfig()
            case .followRedirects: followRedirects = try field.integer()
            case .loggedPayloadBytes: loggedPayloadBytes = try field.integer()
            }
        }
    }

    private enum Name: String, CaseIterable {
        case subProtocols, cookies, customHeaders, readTimeout, writeTimeout, handShakeTimeout, maxFrameSize,
            maxMessageSize, webSocketCompressionEnabled, compression, pingInterval, pongTimeout, validation, proxy,
            secureSocket, auth, localAddress, retryConfig, followRedirects, loggedPayloadBytes
    }
}
