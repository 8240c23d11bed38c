// What ThreadsAndBlocking.md shows.

import Dispatch
import Foundation
import LWSEchoServer
import LWSWebSocket
import TestSupport
import Testing

extension Samples {
    @Suite("Threads")
    struct Threads {
        @Test("a reader and a writer, and a close that wakes the reader")
        func twoThreads() throws {
            let server = try EchoServer()
            let client = try WebSocketClient(server.url())
            // sample: two-threads
            let readerIsDone = DispatchSemaphore(value: 0)
            Thread.detachNewThread {
                do throws(WebSocketError) {
                    while true { print(try client.readTextMessage()) }
                } catch {
                    print("no more messages:", error.code)
                }
                readerIsDone.signal()
            }

            try client.writeTextMessage("one")
            try client.writeTextMessage("two")
            // sample end
            #expect(Printed.take(2) == ["one", "two"])
            // sample: close-wakes
            try client.close()  // the blocked read throws connectionClosure at once
            readerIsDone.wait()
            // sample end
            #expect(Printed.take() == ["no more messages: connectionClosure"])
        }

        @Test("ending a connect")
        func endingAConnect() throws {
            let server = try EchoServer()
            let url = server.url("/slow-upgrade/60000")
            let loop = WebSocketLoop()
            // sample: ending-a-connect
            // where , loop: loop is shown as
            let client = try WebSocketClient(unconnected: url, loop: loop)  // checks what it is given, sends nothing
            let connectHasEnded = DispatchSemaphore(value: 0)
            Thread.detachNewThread {
                do throws(WebSocketError) {
                    try client.connect()
                } catch {
                    print("not connected:", error.code)
                }
                connectHasEnded.signal()
            }
            // sample end
            // The loop runs from when the connect is under way.
            #expect(eventually { loop.isRunning })
            // sample: ending-a-connect-2
            try client.close()  // connect() throws connectionClosure at once
            connectHasEnded.wait()
            // sample end
            #expect(Printed.take() == ["not connected: connectionClosure"])
        }

        // sample: pongs
        struct Pongs: PingPongHandler {
            func onPong(_ payload: [UInt8]) { print("pong:", String(decoding: payload, as: UTF8.self)) }
        }
        // sample end

        @Test("a handler")
        func handler() throws {
            let server = try EchoServer()
            // sample: pongs
            var configuration = ClientConfiguration()
            configuration.pingPongHandler = Pongs()
            let client = try WebSocketClient(server.url(), configuration: configuration)
            try client.ping(Array("are you there?".utf8))
            // sample end
            #expect(Printed.take(1) == ["pong: are you there?"])
            try client.close()
        }

        @Test("a loop of one's own")
        func ownLoop() throws {
            let server = try EchoServer()
            let url = server.url()
            // sample: own-loop
            let loop = WebSocketLoop()  // starts its thread with its first client
            let prices = try WebSocketClient(url, loop: loop)
            let orders = try WebSocketClient(url, loop: loop)  // the same thread
            let bulk = try WebSocketClient(url)  // that of WebSocketLoop.shared
            // sample end
            #expect([prices, orders, bulk].allSatisfy(\.isOpen) && loop.isRunning)
        }
    }
}
