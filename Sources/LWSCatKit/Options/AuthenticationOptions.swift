// Who the client is.

import ArgumentParser
import LWSWebSocket

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
