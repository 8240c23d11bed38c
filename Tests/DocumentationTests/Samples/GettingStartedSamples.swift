// What GettingStarted.md shows.

// sample: first-client
import LWSEchoServer
import LWSWebSocket
// sample end
import HTTPTypes
import Testing

extension Samples {
    @Suite("Getting started")
    struct GettingStarted {
        @Test("the first conversation")
        func firstConversation() throws {
            // sample: first-client
            let server = try EchoServer()  // a server to talk to, on a free port of this machine
            let client = try WebSocketClient(server.url())  // returns when the connection is open

            try client.writeTextMessage("Hello, WebSocket!")  // returns when the operating system has all of it
            print(try client.readTextMessage())  // blocks until the next message is there

            try client.close()  // waits for the server's close frame, 60 s at most
            server.stop()
            // sample end
            #expect(Printed.take() == ["Hello, WebSocket!"])
        }

        @Test("messages of both kinds")
        func kinds() throws {
            let server = try EchoServer()
            let client = try WebSocketClient(server.url())
            // sample: both-kinds
            try client.writeTextMessage("text")
            try client.writeBinaryMessage([0xca, 0xfe])

            for _ in 0..<2 {
                switch try client.readMessage() {
                case .text(let text): print("text:", text)
                case .binary(let bytes): print("binary:", bytes.count, "bytes")
                }
            }
            // sample end
            #expect(Printed.take() == ["text: text", "binary: 2 bytes"])
        }

        // sample: quote
        struct Quote: Codable {
            var symbol: String
            var price: Double
        }
        // sample end

        @Test("values")
        func values() throws {
            let server = try EchoServer()
            let client = try WebSocketClient(server.url())
            // sample: quote
            try client.writeMessage(Quote(symbol: "ACME", price: 19.99))  // JSON, as a text message
            let quote = try client.readMessage(as: Quote.self)
            print(quote.symbol, quote.price)
            // sample end
            #expect(Printed.take() == ["ACME 19.99"])
        }

        @Test("a configuration")
        func configuration() throws {
            let server = try EchoServer()
            // sample: configured
            var configuration = ClientConfiguration()
            configuration.handShakeTimeout = .seconds(10)  // from the look-up of the name to the server's answer
            configuration.readTimeout = .seconds(30)  // per read
            configuration.writeTimeout = .seconds(5)  // per write
            try configuration.addHeader("X-Client", "getting-started")

            let client = try WebSocketClient(server.url(), configuration: configuration)
            // sample end
            #expect(client.isOpen)
        }

        @Test("an error")
        func errors() throws {
            let server = try EchoServer()
            let url = server.url("/refuse/403")
            // sample: an-error
            do {
                let client = try WebSocketClient(url)
                try client.close()
            } catch {
                print(error.code)  // invalidHandshake
                print(error.httpResponse?.status.code ?? 0)  // 403
                print(error.isRetriable)  // false
                print(error)  // 127.0.0.1 refused the WebSocket handshake with …
            }
            // sample end
            let lines = Printed.take()
            #expect(lines.prefix(3) == ["invalidHandshake", "403", "false"])
            #expect(lines.last?.hasPrefix("127.0.0.1 refused the WebSocket handshake with ") == true)
        }

        // sample: follow
        /// Prints what comes until the connection is closed, and tells how that was.
        func follow(_ client: WebSocketClient) throws(WebSocketError) -> WebSocketError.Closure? {
            do throws(WebSocketError) {
                while true { print(try client.readTextMessage()) }
            } catch {
                guard error.code == .connectionClosure else { throw error }
                return error.closure
            }
        }
        // sample end

        @Test("reading to the end")
        func readingToTheEnd() throws {
            let server = try EchoServer()
            let client = try WebSocketClient(server.url("/drop/2"))
            try client.writeMessages([.text("one"), .text("two")])
            let closure = try follow(client)
            #expect(Printed.take() == ["one", "two"])
            #expect(closure?.code == 1006 && closure?.initiator == .network)
        }
    }
}
