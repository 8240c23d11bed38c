// What is sent with the handshake, and who the client is.

import ArgumentParser
import LWSWebSocket

struct HandshakeOptions: ParsableArguments {
    @Option(
        name: [.customShort("H"), .customLong("header")],
        help: .init("A header field, 'Name: value'; may be repeated.", valueName: "field"))
    var headers: [String] = []

    @Option(name: .shortAndLong, help: .init("The Origin field, as a browser sends it.", valueName: "origin"))
    var origin: String?

    @Option(
        name: [.customShort("s"), .customLong("subprotocol")],
        help: .init("A sub-protocol to offer, the preferred one first; may be repeated.", valueName: "name"))
    var subProtocols: [String] = []

    @Option(
        name: .customLong("cookie"),
        help: .init("A cookie, 'name=value'; may be repeated.", valueName: "cookie"))
    var cookies: [String] = []

    @Option(
        name: .customLong("connect-timeout"),
        help: .init(
            "How long connecting may take, from the look-up of the name to the server's answer. (default: 300)",
            valueName: "seconds"))
    var connectTimeout: TimeLimit?

    @Option(
        name: .customLong("follow-redirects"),
        help: .init("How many redirects of the handshake to follow. (default: 0)", valueName: "n"))
    var redirects: Int?

    func apply(to configuration: inout ClientConfiguration) throws(Failure) {
        for header in headers {
            guard let (name, value) = Self.split(header, at: ":") else {
                throw Failure(.usage, "--header is 'Name: value'")
            }
            try Self.add(name, value, to: &configuration)
        }
        if let origin { try Self.add("Origin", origin, to: &configuration) }
        if !subProtocols.isEmpty { configuration.subProtocols = subProtocols }
        if !cookies.isEmpty {
            configuration.cookies = try cookies.map { text throws(Failure) in
                guard let (name, value) = Self.split(text, at: "=") else {
                    throw Failure(.usage, "--cookie is 'name=value'")
                }
                return Cookie(name: name, value: value)
            }
        }
        if let connectTimeout {
            configuration.handShakeTimeout =
                connectTimeout.duration ?? ClientConfiguration().handShakeTimeout
        }
        if let redirects { configuration.followRedirects = redirects }
    }

    private static func add(
        _ name: String, _ value: String, to configuration: inout ClientConfiguration
    ) throws(Failure) {
        do throws(WebSocketError) {
            try configuration.addHeader(name, value)
        } catch {
            throw Failure(.usage, error.description)
        }
    }

    /// What stands before and behind the first `separator`, without the spaces around the second.
    static func split(_ text: String, at separator: Character) -> (String, String)? {
        guard let place = text.firstIndex(of: separator), place != text.startIndex else { return nil }
        let value = text[text.index(after: place)...].drop { $0 == " " || $0 == "\t" }
        return (String(text[..<place]), String(value))
    }
}

// MARK: - Who the client is

/// Tokens of one's own making and those of an authorization server are for the configuration file.
struct AuthenticationOptions: ParsableArguments {
    @Option(
        name: .customLong("auth-basic"),
        help: .init(
            "User name and password for HTTP Basic, or @file with them in its first line.",
            valueName: "user:password"))
    var basic: Secret?

    @Option(
        name: .customLong("auth-bearer"),
        help: .init("A bearer token, or @file with it in its first line.", valueName: "token"))
    var bearer: Secret?

    func validate() throws {
        guard basic == nil || bearer == nil else {
            throw ValidationError("--auth-basic and --auth-bearer exclude each other")
        }
    }

    func apply(to configuration: inout ClientConfiguration) throws(Failure) {
        if let basic {
            let credentials = try basic.value(of: "--auth-basic")
            guard let place = credentials.firstIndex(of: ":") else {
                throw Failure(.usage, "--auth-basic is user:password")
            }
            configuration.auth = .credentials(
                username: String(credentials[..<place]),
                password: String(credentials[credentials.index(after: place)...]))
        }
        if let bearer { configuration.auth = .bearer(token: try bearer.value(of: "--auth-bearer")) }
    }
}
