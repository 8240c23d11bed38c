// The configuration's defaults and checks.

import HTTPTypes
import Testing

@testable import LWSWebSocket

@Suite("The configuration")
struct ClientConfigurationTests {
    @Test("has the contract's defaults")
    func defaults() {
        let configuration = ClientConfiguration()
        #expect(configuration.customHeaders.isEmpty)
        #expect(configuration.subProtocols.isEmpty)
        #expect(configuration.cookies.isEmpty)
        #expect(configuration.readTimeout == nil)
        #expect(configuration.writeTimeout == nil)
        #expect(configuration.handShakeTimeout == .seconds(300))
        #expect(configuration.maxFrameSize == 65536)
        #expect(configuration.maxMessageSize == 64 << 20)
    }

    @Test("takes values out of range as the contract says")
    func outOfRange() {
        var configuration = ClientConfiguration()
        configuration.handShakeTimeout = .seconds(-1)
        configuration.maxFrameSize = 0
        #expect(configuration.effectiveHandShakeTimeout == .seconds(300))
        #expect(configuration.limits.maxFrameSize == 65536)
        configuration.maxFrameSize = -5
        #expect(configuration.limits.maxFrameSize == 65536)
    }

    @Test(
        "refuses header fields that could change the request",
        arguments: [
            ("X-A\r\nX-B", "1"), ("", "1"), ("X A", "1"), ("X:A", "1"), ("Upgrade", "h2c"), ("connection", "close"),
            ("Sec-WebSocket-Key", "x"), ("Sec-WebSocket-Protocol", "x"), ("Content-Length", "5"),
            ("X-A", "1\r\nX-Evil: 1"), ("X-A", "1\nX-Evil: 1"), ("X-A", "a\u{0}b"),
        ])
    func refusedHeaders(_ name: String, _ value: String) {
        var configuration = ClientConfiguration()
        let error = #expect(throws: WebSocketError.self) { try configuration.addHeader(name, value) }
        #expect(error?.code == .invalidArgument)
        #expect(configuration.customHeaders.isEmpty)
        #expect(configuration.subProtocols.isEmpty)
        #expect(configuration.cookies.isEmpty)
    }

    @Test("refuses fields of the handshake however they came in, before a byte is sent")
    func ownedFields() throws {
        var configuration = ClientConfiguration()
        let name = try #require(HTTPField.Name("Sec-WebSocket-Extensions"))
        configuration.customHeaders[name] = "x"
        let error = #expect(throws: WebSocketError.self) {
            try WebSocketClient(unconnected: "ws://localhost/", configuration: configuration)
        }
        #expect(error?.code == .invalidArgument)
        #expect(error?.description.contains("Sec-WebSocket-Extensions") == true)
    }

    @Test("refuses sizes that mean nothing")
    func sizes() {
        var configuration = ClientConfiguration()
        configuration.maxFrameSize = 1 << 31
        #expect(throws: WebSocketError.self) { try configuration.validate() }
        configuration.maxFrameSize = 1
        configuration.maxMessageSize = -1
        #expect(throws: WebSocketError.self) { try configuration.validate() }
    }

    @Test("refuses a request that would not fit")
    func hugeRequest() {
        let error = #expect(throws: WebSocketError.self) {
            try WebSocketClient(unconnected: "ws://localhost/" + String(repeating: "x", count: 20000))
        }
        #expect(error?.code == .invalidArgument)
        #expect(error?.description.contains("16384") == true)
    }

    @Test("does not show through a client what may be secret")
    func secrets() throws {
        var configuration = ClientConfiguration()
        configuration.proxy = Proxy(host: "proxy", port: 1, username: "me", password: "s3cret")
        configuration.cookies = [Cookie(name: "session", value: "s3cret")]
        try configuration.addHeader("X-Token", "s3cret")
        let client = try WebSocketClient(unconnected: "ws://h/", configuration: configuration)
        var text = ""
        dump(client, to: &text)
        #expect(text.contains(client.connectionID))
        #expect(!text.contains("s3cret"))
    }
}
