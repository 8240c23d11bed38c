// The settings of a client in JSON, but for those of TLS and authentication.

internal import HTTPTypes

extension JSONField {
    /// Header fields, each of which has one value, or several in an array.
    func headers() throws(Mistake) -> HTTPFields {
        var configuration = ClientConfiguration()
        for field in try members() {
            for value in field.isArray ? try field.strings() : [try field.string()] {
                do throws(WebSocketError) { try configuration.addHeader(field.name, value) } catch {
                    throw Mistake(words: "\(error)")
                }
            }
        }
        return configuration.customHeaders
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
}
