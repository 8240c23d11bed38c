// What Reconnecting.md shows.

import LWSEchoServer
import LWSWebSocket
import TestSupport
import Testing

extension Samples {
    @Suite("Reconnecting")
    struct Reconnecting {
        @Test("a read goes on after a loss")
        func afterALoss() throws {
            let server = try EchoServer()
            let url = server.url("/drop/1")  // ends TCP after one message, as a server that crashes
            // sample: retry
            // where .milliseconds(5) is shown as .milliseconds(500)
            var configuration = ClientConfiguration()
            configuration.retryConfig = WebSocketRetryConfig(
                maxCount: 20, interval: .milliseconds(5), backOffFactor: 2, maxWaitInterval: .seconds(30)
            ) { event in
                print("attempt \(event.attempt), because of \(event.error.code)")
            }
            let client = try WebSocketClient(url, configuration: configuration)
            // sample end
            try client.writeTextMessage("one")
            #expect(try client.readTextMessage() == "one")
            let reading = try Background { try client.readTextMessage() }
            #expect(Printed.take(1) == ["attempt 0, because of connectionClosure"])
            #expect(eventually { client.isOpen })
            try client.writeTextMessage("two")
            #expect(try reading.value() == "two")
            try client.close()
            _ = Printed.take()
        }

        // sample: follow-across-restarts
        /// Gives each message of a feed to `use`, until that returns false, across crashes and restarts of the server.
        func follow(
            _ url: String, _ configuration: ClientConfiguration, use: (String) -> Bool
        ) throws(WebSocketError) {
            while true {
                let client = try WebSocketClient(url, configuration: configuration)
                do throws(WebSocketError) {
                    while use(try client.readTextMessage()) {}
                    return try client.close()
                } catch {
                    // 1001: the server goes away, and said so. A crash is met by retryConfig.
                    guard error.closure?.code == 1001 else { throw error }
                }
            }
        }
        // sample end

        @Test("a feed across restarts")
        func acrossRestarts() throws {
            let first = try EchoServer()
            let (url, port) = (first.url("/ping/1"), first.port)  // says "pongs: 1", then nothing more
            let reading = try Background {
                var configuration = ClientConfiguration()
                configuration.retryConfig = WebSocketRetryConfig(interval: .milliseconds(5))
                var count = 0
                try follow(url, configuration) { message in
                    print(message)
                    count += 1
                    return count < 2
                }
            }
            #expect(Printed.take(1) == ["pongs: 1"])
            first.stop()  // with close code 1001
            let second = try EchoServer(EchoServer.Configuration(port: port))
            try reading.value()
            #expect(Printed.take() == ["pongs: 1"])
            second.stop()
        }

        @Test("what may be done again")
        func retriable() throws {
            let server = try EchoServer()
            let client = try WebSocketClient(server.url("/drop/1"))
            try client.writeTextMessage("last words")
            _ = try client.readTextMessage()
            // sample: retriable
            do throws(WebSocketError) {
                print(try client.readTextMessage())
            } catch {
                print(error.isRetriable ? "worth another try: \(error)" : "it would be the same again: \(error)")
            }
            // sample end
            #expect(Printed.take().first?.hasPrefix("worth another try: ") == true)
        }
    }
}
