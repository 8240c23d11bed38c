// Configurations in JSON, with members that are others than they should be.

import Foundation
import LWSWebSocket

/// What an operator may have written, or damaged.
enum ConfigurationFiles {
    /// All members there are, with values that are right.
    private static let whole = #"""
        {"subProtocols": ["chat.v2", "chat.v1"], "customHeaders": {"X-Client": "feed", "X-Tag": ["a", "b"]},
        "cookies": [{"name": "session", "value": "1234", "path": "/"}], "readTimeout": 30, "writeTimeout": -1,
        "handShakeTimeout": 7.5, "maxFrameSize": 65536, "maxMessageSize": null, "webSocketCompressionEnabled": true,
        "compression": {"serverNoContextTakeover": true, "clientMaxWindowBits": 12, "level": 6}, "validation": true,
        "proxy": {"host": "proxy.example.com", "port": 8080, "username": "user", "password": "secret"},
        "secureSocket": {"cert": {"path": "trust.p12", "password": "secret"},
        "key": {"certFile": "client.pem", "keyFile": "client.key", "keyPassword": "secret"},
        "protocol": ["TLSv1.2", "TLSv1.3"], "certValidation": {"type": "CRL", "file": "revoked.pem", "mode": "hard"},
        "ciphers": ["TLS_AES_128_GCM_SHA256"], "serverName": "example.com", "sessionTimeout": 3600, "handshakeTimeout": 10,
        "pinnedPublicKeys": ["sha256/47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="]},
        "auth": {"tokenUrl": "https://auth.example.com/token", "clientId": "feed", "clientSecret": "secret",
        "scopes": ["read"], "clockSkew": 5, "credentialBearer": "AUTH_HEADER_BEARER",
        "clientConfig": {"secureSocket": {"cert": "ca.pem"}, "timeout": 10}}, "localAddress": "192.0.2.1",
        "retryConfig": {"maxCount": 20, "interval": 3, "backOffFactor": 2, "maxWaitInterval": 20}, "followRedirects": 3,
        "pingInterval": 20, "pongTimeout": 5, "loggedPayloadBytes": 0}
        """#

    /// Makes a configuration, and a client with it.
    /// - Returns: what is wrong; `nil` where nothing is.
    static func read(_ choices: inout Choices) -> String? {
        guard var value = try? JSONDecoder().decode(JSONValue.self, from: Data(whole.utf8)) else {
            return "the configuration to begin with is no JSON"
        }
        let changes = choices.int(0...4)
        for _ in 0..<changes { change(&value, &choices) }
        guard let json = try? JSONEncoder.sorted.encode(value) else { return "there is no JSON of \(value)" }
        var bytes = Array(json)
        let isDamaged = choices.once(in: 3)
        if isDamaged { choices.damage(&bytes) }
        do throws(WebSocketError) {
            let configuration = try ClientConfiguration(json: bytes)
            _ = try WebSocketClient(unconnected: "wss://127.0.0.1:1/", configuration: configuration)
            return nil
        } catch {
            let mayBeWrong = changes > 0 || isDamaged
            return mayBeWrong && error.code == .invalidArgument
                ? nil : "\(error.code) is not expected of a configuration: \(error)"
        }
    }

    /// Something within it becomes something else, goes, or gets another name.
    private static func change(_ value: inout JSONValue, _ choices: inout Choices) {
        switch value {
        case .object(var members) where !members.isEmpty:
            let name = choices.pick(members.keys.sorted())
            switch choices.int(0...7) {
            case 0: members[name] = nil
            case 1: members[choices.text(5)] = members[name]
            default:
                guard var member = members[name] else { return }
                change(&member, &choices)
                members[name] = member
            }
            value = .object(members)
        case .array(var elements) where !elements.isEmpty && choices.once(in: 2):
            let place = choices.int(0...elements.count - 1)
            change(&elements[place], &choices)
            value = .array(elements)
        default:
            value =
                choices.once(in: 2)
                ? Documents.value(&choices, depth: 5)
                : choices.pick([
                    -1, 0, 1, .integer(1 << 31), .integer(Int128(Int.max)), .integer(Int128(Int.max) + 1),
                    .number(1e300),
                    .number(-0.5), .number(.leastNonzeroMagnitude), "", "\u{0}", "a\r\nb", "-1", .null, true, [], [:],
                ])
        }
    }
}
