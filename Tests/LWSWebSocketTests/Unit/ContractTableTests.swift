// The contract's table of the configuration: every default, and a name in every error.

import Foundation
import HTTPTypes
import Testing

@testable import LWSWebSocket

@Suite("The contract's table of the configuration")
struct ContractTableTests {
    /// Each field with its default as `String(describing:)` shows it. Those of ours are at the end.
    private static let defaults = [
        "subProtocols": "[]",
        "customHeaders": "[]",
        "cookies": "[]",
        "readTimeout": "nil",
        "writeTimeout": "nil",
        "handShakeTimeout": "300.0 seconds",
        "maxFrameSize": "65536",
        "maxMessageSize": "Optional(67108864)",
        "pingPongHandler": "nil",
        "validation": "true",
        "webSocketCompressionEnabled": "true",
        "retryConfig": "nil",
        "compression": "\(CompressionOptions())",
        "followRedirects": "0",
        "pingInterval": "nil",
        "pongTimeout": "nil",
        "proxy": "nil",
        "localAddress": "nil",
        "secureSocket": "nil",
        "auth": "nil",
        "eventHandler": "nil",
        "loggedPayloadBytes": "0",
    ]

    /// Not of the contract, and objects.
    private static let coders: Set = ["jsonEncoder", "jsonDecoder", "logger"]

    private func fields(_ configuration: ClientConfiguration) -> [String: String] {
        var fields: [String: String] = [:]
        for child in Mirror(reflecting: configuration).children {
            guard let label = child.label.map(Self.name), !Self.coders.contains(label) else { continue }
            let value = (child.value as? HTTPFields).map { Array($0) } ?? child.value
            fields[label] = String(describing: value)
        }
        return fields
    }

    /// Of a property whose value is kept in a box.
    private static func name(of label: String) -> String {
        guard let name = label.wholeMatch(of: /_boxed(.)(.*)/)?.output else { return label }
        return name.1.lowercased() + name.2
    }

    @Test("has these defaults, and no field that is not in this table", arguments: [false, true])
    func defaults(_ fromJSON: Bool) throws {
        let configuration = try fromJSON ? ClientConfiguration(json: Array("{}".utf8)) : ClientConfiguration()
        #expect(fields(configuration) == Self.defaults)
        #expect(configuration.limits.keepAlive == nil)
        #expect(configuration.limits.maxFrameSize == 65536)
        #expect(configuration.limits.maxMessageSize == 64 << 20)
        #expect(configuration.effectiveHandShakeTimeout == .seconds(300))
    }

    @Test("has these defaults inside retryConfig and compression")
    func nestedDefaults() throws {
        let json = try ClientConfiguration(json: Array(#"{"retryConfig": {}, "compression": {}}"#.utf8))
        for retry in [WebSocketRetryConfig(), try #require(json.retryConfig)] {
            #expect(retry.maxCount == 0)
            #expect(retry.interval == .seconds(1))
            #expect(retry.backOffFactor == 1.0)
            #expect(retry.maxWaitInterval == .seconds(30))
            #expect(retry.onRetry == nil)
        }
        for options in [CompressionOptions(), json.compression] {
            #expect(!options.serverNoContextTakeover && !options.clientNoContextTakeover)
            #expect(options.serverMaxWindowBits == nil && options.clientMaxWindowBits == nil)
            #expect(options.level == 1)
        }
    }

    // MARK: - Bad input in a program

    private static let mistakes: [(String, @Sendable (inout ClientConfiguration) throws -> Void)] = [
        ("auth.token", { $0.auth = .bearer(token: "a b") }),
        ("subProtocols", { $0.subProtocols = ["a b"] }),
        ("subProtocols", { $0.subProtocols = ["a", "a"] }),
        ("customHeaders", { try $0.addHeader("X A", "1") }),
        ("customHeaders", { try $0.addHeader("X-A", "1\r\nX-B: 2") }),
        ("customHeaders", { $0.customHeaders[.connection] = "close" }),
        ("customHeaders", { $0.customHeaders[.secWebSocketKey] = "x" }),
        ("cookies", { $0.cookies = [Cookie(name: "", value: "v")] }),
        ("cookies", { $0.cookies = [Cookie(name: "n", value: "v;w")] }),
        ("maxFrameSize", { $0.maxFrameSize = 1 << 31 }),
        ("maxMessageSize", { $0.maxMessageSize = -1 }),
        ("pingInterval", { $0.pingInterval = .zero }),
        ("pingInterval", { $0.pingInterval = .seconds(-1) }),
        ("pongTimeout", { $0.pongTimeout = .seconds(1) }),
        ("pongTimeout", { ($0.pingInterval, $0.pongTimeout) = (.seconds(1), .zero) }),
        ("pongTimeout", { ($0.pingInterval, $0.pongTimeout) = (.seconds(1), .nanoseconds(-1)) }),
        ("compression.level", { $0.compression.level = 0 }),
        ("compression.level", { $0.compression.level = 10 }),
        ("compression.serverMaxWindowBits", { $0.compression.serverMaxWindowBits = 7 }),
        ("compression.clientMaxWindowBits", { $0.compression.clientMaxWindowBits = 8 }),
        ("retryConfig.maxCount", { $0.retryConfig = WebSocketRetryConfig(maxCount: -1) }),
        ("retryConfig.interval", { $0.retryConfig = WebSocketRetryConfig(interval: .zero) }),
        ("retryConfig.backOffFactor", { $0.retryConfig = WebSocketRetryConfig(backOffFactor: 0.5) }),
        ("retryConfig.backOffFactor", { $0.retryConfig = WebSocketRetryConfig(backOffFactor: .nan) }),
        ("retryConfig.maxWaitInterval", { $0.retryConfig = WebSocketRetryConfig(maxWaitInterval: .seconds(-1)) }),
        ("followRedirects", { $0.followRedirects = -1 }),
        ("proxy", { $0.proxy = Proxy(host: "", port: 8080) }),
        ("proxy", { $0.proxy = Proxy(host: "proxy", port: 0) }),
        ("localAddress", { $0.localAddress = "" }),
        ("localAddress", { $0.localAddress = "not an address" }),
    ]

    @Test("names the field that is not valid, before anything is sent", arguments: mistakes.indices)
    func mistake(_ index: Int) {
        let (name, change) = Self.mistakes[index]
        let error = failure {
            var configuration = ClientConfiguration()
            try change(&configuration)
            _ = try WebSocketClient(unconnected: "ws://127.0.0.1:9/", configuration: configuration)
        }
        #expect(error?.code == .invalidArgument)
        #expect(error?.description.hasPrefix("\(name): ") == true, "\(error?.description ?? "none")")
    }

    @Test("takes the values that mean a default or no limit")
    func tolerant() throws {
        var configuration = ClientConfiguration()
        configuration.maxFrameSize = -1
        configuration.maxMessageSize = nil
        configuration.handShakeTimeout = .seconds(-1)
        configuration.readTimeout = .seconds(-5)
        configuration.writeTimeout = .seconds(-5)
        configuration.pingInterval = .nanoseconds(1)
        configuration.pongTimeout = .seconds(Int64.max)
        _ = try WebSocketClient(unconnected: "ws://127.0.0.1:9/", configuration: configuration)
        #expect(configuration.limits.keepAlive?.limit ?? .zero < .seconds(1 << 40))
    }

    // MARK: - Bad input in JSON

    /// What a field's value may be, and `null` where that means something.
    private static let types: [(String, Set<String>)] = [
        ("subProtocols", ["[]"]), ("customHeaders", ["{}"]), ("cookies", ["[]"]),
        ("readTimeout", ["1.5", "null"]), ("writeTimeout", ["1.5", "null"]), ("handShakeTimeout", ["1.5", "null"]),
        ("maxFrameSize", []), ("maxMessageSize", ["null"]), ("validation", ["true"]),
        ("pingInterval", ["1.5", "null"]), ("pongTimeout", ["null"]), ("webSocketCompressionEnabled", ["true"]),
        ("compression", ["{}"]), ("retryConfig", ["{}", "null"]), ("followRedirects", []), ("proxy", ["null"]),
        ("localAddress", ["null", #""text""#]), ("secureSocket", ["{}", "null"]), ("auth", ["null"]),
    ]

    @Test("names the field of another type in JSON", arguments: types)
    func mistyped(_ name: String, _ allowed: Set<String>) {
        for value in ["true", "1.5", #""text""#, "[]", "{}", "null"] {
            let error = failure { try ClientConfiguration(json: Array(#"{"\#(name)": \#(value)}"#.utf8)) }
            guard !allowed.contains(value) else {
                #expect(error == nil, "\(value): \(error?.description ?? "")")
                continue
            }
            #expect(error?.code == .invalidArgument, "\(value)")
            // A pongTimeout of the right type is not valid alone.
            let isNamed = error?.description.contains("\(name): ") ?? false
            #expect(isNamed, "\(value): \(error?.description ?? "none")")
        }
    }

    @Test(
        "names what is unknown, mistyped or out of range in JSON, nested members too",
        arguments: [
            (#"{"PingInterval": 1}"#, "configuration.PingInterval: there is no such field"),
            (#"{"pingPongHandler": {}}"#, "configuration.pingPongHandler: there is no such field"),
            (#"{"jsonEncoder": null}"#, "configuration.jsonEncoder: there is no such field"),
            (#"{"pingInterval": 0}"#, "pingInterval: "), (#"{"pingInterval": -2}"#, "configuration.pingInterval: "),
            (#"{"pingInterval": "20s"}"#, "configuration.pingInterval: expected a number of seconds, found a string"),
            (#"{"pongTimeout": 5}"#, "pongTimeout: "), (#"{"pingInterval": 1, "pongTimeout": 0}"#, "pongTimeout: "),
            (#"{"pingInterval": -1, "pongTimeout": 5}"#, "pongTimeout: "),
            (#"{"pingInterval": 1e10}"#, "configuration.pingInterval: "),
            (#"{"customHeaders": {"X": ["a", 1]}}"#, "configuration.customHeaders.X[1]: expected a string"),
            (#"{"customHeaders": {"X": null}}"#, "configuration.customHeaders.X: expected a string"),
            (#"{"cookies": [{"name": "n", "value": "v"}, {"name": 1}]}"#, "configuration.cookies[1].name: "),
            (
                #"{"cookies": [{"name": "n", "value": "v", "Path": "/"}]}"#,
                "configuration.cookies[0].Path: there is no"
            ),
            (#"{"cookies": [{"name": "n", "value": "v", "path": 1}]}"#, "configuration.cookies[0].path: "),
            (#"{"cookies": [[]]}"#, "configuration.cookies[0]: expected an object"),
            (#"{"compression": {"Level": 1}}"#, "configuration.compression.Level: there is no such field"),
            (#"{"compression": {"level": "1"}}"#, "configuration.compression.level: expected a whole number"),
            (
                #"{"compression": {"serverNoContextTakeover": 1}}"#,
                "configuration.compression.serverNoContextTakeover: "
            ),
            (#"{"compression": {"level": 11}}"#, "compression.level: 11 is not in the range"),
            (#"{"retryConfig": {"max": 1}}"#, "configuration.retryConfig.max: there is no such field"),
            (#"{"retryConfig": {"interval": null}}"#, "configuration.retryConfig.interval: expected a number"),
            (#"{"retryConfig": {"maxCount": 1.5}}"#, "configuration.retryConfig.maxCount: expected a whole number"),
            (
                #"{"retryConfig": {"backOffFactor": true}}"#,
                "configuration.retryConfig.backOffFactor: expected a number"
            ),
            (#"{"proxy": {"host": "h"}}"#, "configuration.proxy: expected an object with host and port"),
            (#"{"proxy": {"host": "h", "port": "1"}}"#, "configuration.proxy.port: expected a whole number"),
            (
                #"{"proxy": {"host": "h", "port": 1, "user": "u"}}"#,
                "configuration.proxy.user: there is no such field"
            ),
            (#"{"proxy": "elsewhere"}"#, "configuration.proxy: expected an object, or \"environment\""),
        ])
    func nested(_ json: String, _ words: String) {
        let error = failure { try ClientConfiguration(json: Array(json.utf8)) }
        #expect(error?.code == .invalidArgument)
        #expect(error?.description.hasPrefix(words) == true, "\(error?.description ?? "none")")
    }

    @Test("reads keep-alive from JSON, in seconds with decimals; -1 and null are off")
    func keepAlive() throws {
        let on = try ClientConfiguration(json: Array(#"{"pingInterval": 20, "pongTimeout": 2.5}"#.utf8))
        #expect(on.pingInterval == .seconds(20) && on.pongTimeout == .milliseconds(2500))
        #expect(on.limits.keepAlive == .init(interval: .seconds(20), limit: .milliseconds(2500)))
        let off = try ClientConfiguration(json: Array(#"{"pingInterval": -1, "pongTimeout": null}"#.utf8))
        #expect(off.pingInterval == nil && off.pongTimeout == nil)
    }
}
