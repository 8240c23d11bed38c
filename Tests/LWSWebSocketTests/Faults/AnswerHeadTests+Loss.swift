// The head of the answer to a handshake, and the loss of a connection.

import HTTPTypes
import TestSupport
import Testing

@testable import LWSWebSocket

extension AnswerHeadTests {
    @Test("is the same after each of five losses of the connection", arguments: [false, true])
    func fiveTimes(_ isSecure: Bool) throws {
        let server = try Self.server(isSecure) { request in
            let head = Self.upgrade(request, Self.fields + Self.many(isSecure ? 20 : 90))
            return [Self.hints, nil] + Self.cut(head + Self.hello, [70])
        }
        defer { server.stop() }
        let client = try Self.connect(server, isSecure) {
            $0.retryConfig = WebSocketRetryConfig(maxCount: 5, interval: .milliseconds(1))
        }
        for number in 0..<6 {
            #expect(try client.readTextMessage() == "hello")
            #expect(client.httpResponse?.headerFields.count == Self.fields.count + (isSecure ? 20 : 90) + 3)
            if number < 5 { try client.writeTextMessage("end") }
        }
        try client.close()
    }

    @Test("with a message and a reset right behind it opens the connection, and the message is read")
    func reset() throws {
        for _ in 0..<20 {
            let server = try Self.server(false, reset: true) { [Self.upgrade($0) + Self.hello] }
            defer { server.stop() }
            let client = try Self.connect(server, false)
            #expect(try client.readTextMessage() == "hello")
            #expect(failure { try client.readTextMessage() }?.closure?.code == 1006)
        }
    }

    @Test(
        "that does not begin like HTTP is an error at once",
        arguments: ["SSH-2.0-OpenSSH_9.2\r\n", "HTTP/2 101\r\n\r\n", "x"])
    func noHTTP(_ text: String) throws {
        let server = try Self.server(false) { _ in [Array(text.utf8)] }
        defer { server.stop() }
        let error = failure { try Self.connect(server, false) }
        #expect(error?.code == .invalidHandshake)
        #expect(error?.description.contains("did not answer the handshake with a valid HTTP response") == true)
    }
}
