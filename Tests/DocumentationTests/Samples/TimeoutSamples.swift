// What TimeoutsAndClosing.md shows.

import LWSEchoServer
import LWSWebSocket
import Testing

extension Samples {
    @Suite("Timeouts and closing")
    struct Timeouts {
        @Test("a read that is too long, and another")
        func readTimeout() throws {
            try Samples.again(after: .readTimedOut) { try readTimeoutOnce() }
        }

        private func readTimeoutOnce() throws {
            let server = try EchoServer()
            // sample: read-timeout
            // where milliseconds(50) is shown as seconds(5)
            var configuration = ClientConfiguration()
            configuration.readTimeout = .milliseconds(50)
            let client = try WebSocketClient(server.url(), configuration: configuration)

            do throws(WebSocketError) {
                print(try client.readTextMessage())
            } catch {
                guard error.code == .readTimedOut else { throw error }
                print("nothing yet, still open:", client.isOpen)
            }
            try client.writeTextMessage("hello")
            print(try client.readTextMessage())
            // sample end
            #expect(Printed.take() == ["nothing yet, still open: true", "hello"])
        }

        @Test("a write that is too long")
        func writeTimeout() throws {
            let expected = ["a part has left: ended"]
            var lines: [String] = []
            // On a busy machine nothing may have left in a short time.
            for limit in [Duration.milliseconds(50), .seconds(2), .seconds(20)] where lines != expected {
                lines = try writeTimeout(after: limit)
            }
            #expect(lines == expected)
        }

        private func writeTimeout(after limit: Duration) throws -> [String] {
            let server = try EchoServer()
            var configuration = ClientConfiguration()
            configuration.writeTimeout = limit
            configuration.webSocketCompressionEnabled = false  // or next to nothing would have to leave
            let client = try WebSocketClient(server.url("/silent"), configuration: configuration)
            let picture = [UInt8](repeating: 0, count: 64 << 20)
            // sample: write-timeout
            do throws(WebSocketError) {
                try client.writeBinaryMessage(picture)
            } catch {
                guard error.code == .writeTimedOut else { throw error }
                print(error.closure == nil ? "nothing has left: still open" : "a part has left: ended")
            }
            // sample end
            return Printed.take()
        }

        @Test("closing")
        func closing() throws {
            let server = try EchoServer()
            let client = try WebSocketClient(server.url())
            // sample: closing
            try client.close(statusCode: 4001, reason: "the shop closes", timeout: .seconds(5))
            if client.closure?.isClean == false { print("the server did not answer the close frame") }
            try client.close()  // the connection has ended: returns at once
            // sample end
            #expect(!client.isOpen)
        }

        @Test("who closed")
        func whoClosed() throws {
            let server = try EchoServer()
            let client = try WebSocketClient(server.url("/close/4000/enough"))
            // sample: who-closed
            do throws(WebSocketError) {
                print(try client.readTextMessage())
            } catch {
                guard let closure = error.closure else { throw error }
                switch closure.initiator {
                case .peer: print("the server closed:", closure.code, closure.reason)
                case .local: print("this side closed:", closure.code)
                case .network: print("lost without a close frame")
                }
            }
            // sample end
            #expect(Printed.take() == ["the server closed: 4000 enough"])
        }

        @Test("a peer that is gone")
        func keepAlive() throws {
            let server = try EchoServer()
            let url = server.url("/silent")
            // sample: keep-alive
            // where milliseconds(50) is shown as seconds(20)
            // where milliseconds(60) is shown as seconds(5)
            var configuration = ClientConfiguration()
            configuration.pingInterval = .milliseconds(50)
            configuration.pongTimeout = .milliseconds(60)

            let client = try WebSocketClient(url, configuration: configuration)
            // sample end
            let error = #expect(throws: WebSocketError.self) { try client.readMessage() }
            #expect(error?.closure?.code == 1006 && error?.closure?.initiator == .network)
        }

        @Test("a round trip")
        func roundTrip() throws {
            try Samples.again(after: .readTimedOut) { try roundTripOnce() }
        }

        private func roundTripOnce() throws {
            let server = try EchoServer()
            let client = try WebSocketClient(server.url())
            // sample: round-trip
            let time = try client.roundTripTime(timeout: .seconds(5))
            print("the server answers within \(time)")
            // sample end
            #expect(Printed.take().count == 1 && time > .zero)
        }
    }
}
