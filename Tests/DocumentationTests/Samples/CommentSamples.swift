// What documentation comments in Sources show.

import Foundation
import HTTPTypes
import LWSEchoServer
import LWSWebSocket
import Testing

extension Samples {
    @Suite("Documentation comments")
    struct Comments {
        @Test("of WebSocketClient")
        func client() throws {
            let server = try EchoServer()
            // sample: comment-client
            // where server.url() is shown as "ws://localhost:9001/echo"
            let client = try WebSocketClient(server.url())
            try client.writeTextMessage("hello")
            print(try client.readTextMessage())
            try client.close()
            // sample end
            #expect(Printed.take() == ["hello"])
        }

        @Test("of ClientConfiguration and JSONValue")
        func json() throws {
            let server = try EchoServer()
            // sample: comment-coders
            let configuration = ClientConfiguration()
            configuration.jsonEncoder.dateEncodingStrategy = .iso8601
            configuration.jsonDecoder.dateDecodingStrategy = .iso8601
            configuration.jsonDecoder.keyDecodingStrategy = .convertFromSnakeCase
            // sample end
            let client = try WebSocketClient(server.url(), configuration: configuration)
            try client.writeTextMessage(#"{"orders": [1, 2, {"price": 3.5}]}"#)
            // sample: comment-json-value
            let answer = try client.readMessage(as: JSONValue.self)
            if let price = answer["orders"]?[2]?["price"]?.doubleValue { print(price) }
            try client.writeMessage(["event": "greeting", "retry": 3, "tags": [true, nil]] as JSONValue)
            // sample end
            #expect(Printed.take() == ["3.5"])
            #expect(try client.readMessage(as: JSONValue.self)["retry"]?.intValue == 3)
        }

        // sample: comment-validatable
        struct Order: Codable, Validatable {
            var customer: String
            var note: String?
            var items: [Item]

            static let constraints: [Constraint<Order>] = [
                .field("customer", \.customer, .minLength(1), .pattern("[a-z]+")),
                .field("note", \.note, .maxLength(200)),
                .field("items", \.items, .minCount(1)),
            ]
        }

        struct Item: Codable, Validatable {
            var price: Double

            static let constraints: [Constraint<Item>] = [
                .field("price", \.price, .minimum(0), .exclusiveMaximum(1000), .maxFractionDigits(2))
            ]
        }
        // sample end

        struct Span: Validatable {
            var start: Int
            var end: Int

            static let constraints: [Constraint<Span>] = [
                // sample: comment-rule
                .rule("end", "must be after start") { $0.end > $0.start }
                // sample end
            ]
        }

        @Test("of Validatable and Constraint")
        func validation() {
            let order = Order(customer: "Acme", items: [Item(price: 1), Item(price: -1)])
            #expect(order.constraintViolations().map(\.path) == ["customer", "items[1].price"])
            #expect(Span(start: 2, end: 1).constraintViolations().map(\.description) == ["end must be after start"])
        }

        // sample: comment-authenticator
        struct SignedByHour: HandshakeAuthenticator {
            func headerFields(for request: AuthenticationRequest) throws(AuthenticationError) -> HTTPFields {
                [.authorization: "Hour \(sign(request.request.path, Date.now))"]
            }
        }
        // sample end

        @Test("of the kinds of authentication")
        func authentication() throws {
            let server = try EchoServer()
            let secret = "secret"
            var configuration = ClientConfiguration()
            // sample: comment-authenticator
            configuration.auth = .custom(SignedByHour())
            // sample end
            let client = try WebSocketClient(server.url("/headers"), configuration: configuration)
            #expect(try client.readTextMessage().contains("Hour /headers at 20"))

            // sample: comment-jwt
            var issuer = JWTIssuer(signatureConfig: .key(.rs256, .pem(keyFile: "client.key")))
            issuer.issuer = "feed"
            issuer.audience = ["https://example.com"]
            configuration.auth = .jwt(issuer)
            // sample end
            _ = try WebSocketClient(unconnected: server.url(), configuration: configuration)

            // sample: comment-grant
            var grant = OAuth2Grant.clientCredentials(
                tokenUrl: "https://auth.example.com/token", clientId: "feed", clientSecret: secret)
            grant.scopes = ["read"]
            configuration.auth = .oauth2(grant)
            // sample end
            _ = try WebSocketClient(unconnected: server.url(), configuration: configuration)
        }
    }
}

/// What the sample of an authenticator calls; no signature at all.
private func sign(_ path: String?, _ date: Date) -> String { "\(path ?? "") at \(date.formatted(.iso8601))" }
