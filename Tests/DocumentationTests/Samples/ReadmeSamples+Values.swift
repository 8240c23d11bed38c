// What README.md shows of authentication, values, errors and the echo server.

import HTTPTypes
// sample: readme-echo-server
import LWSEchoServer
// sample end
import LWSWebSocket
import Testing

/// Where the sample's keys come from.
private struct Vault {
    func key(for authority: String?) throws(AuthenticationError) -> String { authority ?? "" }
}

private let vault = Vault()

// sample: readme-authenticator
struct VaultKey: HandshakeAuthenticator {
    func headerFields(for request: AuthenticationRequest) throws(AuthenticationError) -> HTTPFields {
        [.authorization: "Vault \(try vault.key(for: request.request.authority))"]
    }
}
// sample end

extension Samples {
    @Suite("README: values and errors")
    struct ReadmeValues {
        @Test("the kinds of authentication, of which the last is used")
        func authentication() throws {
            let (password, token, secret) = ("secret", "abc", "secret")
            var configuration = ClientConfiguration()
            // sample: readme-auth
            configuration.auth = .credentials(username: "alice", password: password)  // HTTP Basic
            configuration.auth = .bearer(token: token)  // a token that you have

            var issuer = JWTIssuer(signatureConfig: .key(.es256, .pem(keyFile: "signing.key")))  // or .hmac(…)
            issuer.issuer = "feed-reader"
            issuer.audience = ["feed.example.com"]
            configuration.auth = .jwt(issuer)  // a token of its own for each handshake

            var grant = OAuth2Grant.clientCredentials(  // or .password, .refreshToken, .jwtBearer
                tokenUrl: "https://auth.example.com/token", clientId: "feed-reader", clientSecret: secret)
            grant.scopes = ["read"]
            configuration.auth = .oauth2(grant)  // a token of an authorization server
            // sample end
            let server = try EchoServer()
            _ = try WebSocketClient(unconnected: server.url(), configuration: configuration)

            // sample: readme-authenticator
            configuration.auth = .custom(VaultKey())
            // sample end
            let client = try WebSocketClient(server.url("/headers"), configuration: configuration)
            #expect(try client.readTextMessage().contains("Vault 127.0.0.1:\(server.port)"))
        }

        // sample: readme-values
        struct Order: Codable, Validatable {
            var id: Int
            var price: Double

            static let constraints: [Constraint<Order>] = [
                .field("price", \.price, .exclusiveMinimum(0), .maxFractionDigits(2))
            ]
        }
        // sample end

        @Test("values")
        func values() throws {
            let server = try EchoServer()
            let client = try WebSocketClient(server.url())
            // sample: readme-values
            try client.writeMessage(Order(id: 7, price: 19.99))  // JSON, as a text message
            let order = try client.readMessage(as: Order.self)  // bound, then validated: all violations at once
            // sample end
            try client.writeTextMessage(#"{"orders": [0, 1, {"price": 2.5}]}"#)
            // sample: readme-values
            let anything = try client.readMessage(as: JSONValue.self)  // JSON of any shape
            print(anything["orders"]?[2]?["price"]?.doubleValue ?? 0)
            // sample end
            #expect(order.id == 7 && Printed.take() == ["2.5"])
            try client.writeMessage(Order(id: 8, price: -1.001))
            let error = #expect(throws: WebSocketError.self) { try client.readMessage(as: Order.self) }
            #expect(error?.code == .payloadValidation && error?.violations.count == 2)
        }

        @Test("errors")
        func errors() throws {
            let server = try EchoServer()
            let url = server.url("/refuse/403")
            // sample: readme-errors
            // where WebSocketClient(url) is shown as WebSocketClient("ws://localhost:9001/refuse/403")
            do {
                let client = try WebSocketClient(url)
                try client.close()
            } catch {
                print(error.code)  // invalidHandshake
                print(error)  // localhost refused the WebSocket handshake with status 403; check …
                print(error.httpResponse?.headerFields ?? [:])
                print(error.isRetriable)  // false
            }
            // sample end
            let lines = Printed.take()
            #expect(lines.count == 4 && lines.first == "invalidHandshake" && lines.last == "false")
        }

        @Test("the echo server")
        func echoServer() throws {
            // sample: readme-echo-server
            let server = try EchoServer()  // a free port, a thread of its own; several at once are fine
            let url = server.url("/close/4000/bye")  // what a connection does is chosen by its path
            // sample end
            let error = #expect(throws: WebSocketError.self) { try WebSocketClient(url).readMessage() }
            #expect(error?.closure?.reason == "bye")
            // sample: readme-echo-server
            server.stop()
            // sample end
        }
    }
}
