// What UsingTasks.md shows, and what the README and comments do of tasks and events.

import LWSEchoServer
import LWSWebSocket
import TestSupport
import Testing

extension Samples {
    @Suite("Tasks")
    struct Tasks {
        @Test("a connection that is closed behind a block")
        func structured() async throws {
            let server = try EchoServer()
            // sample: with-web-socket
            // where server.url() is shown as "ws://localhost:9001/echo"
            try await withWebSocket(server.url()) { client in
                try await client.send("hello")
                print(try await client.receive())
            }
            // sample end
            #expect(Printed.take() == [#"text("hello")"#])
        }

        @Test("all messages until the end")
        func sequence() async throws {
            let server = try EchoServer()
            let configuration = ClientConfiguration()
            // sample: connect-suspended
            // where server.url() is shown as "ws://localhost:9001/echo"
            let client = try await WebSocketClient.connect(server.url(), configuration: configuration)
            // sample end
            try await client.send("one")
            try await client.send("two")
            let loop = Task {
                // sample: messages
                for try await message in client.messages { print(message) }
                // sample end
            }
            #expect(Printed.take(2) == [#"text("one")"#, #"text("two")"#])
            try await client.close()
            try await loop.value
        }

        @Test("an echo for each of many clients at once")
        func many() async throws {
            let server = try EchoServer()
            // sample: many-clients
            // where server.url() is shown as "ws://localhost:9001/echo"
            let url = server.url()
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 1...100 {
                    group.addTask {
                        try await withWebSocket(url) { client in
                            try await client.send("\(number)")
                            print(try await client.receive(as: Int.self))
                        }
                    }
                }
                try await group.waitForAll()
            }
            // sample end
            #expect(Printed.take().compactMap(Int.init).sorted() == Array(1...100))
        }

        @Test("a task that is cancelled")
        func cancelled() async throws {
            let server = try EchoServer()
            let client = try await WebSocketClient.connect(server.url())
            // sample: cancelled-task
            let reader = Task {
                do {
                    print(try await client.receive())
                } catch let error as WebSocketError where error.code == .cancelled {
                    print("given up")
                }
            }
            reader.cancel()
            try await reader.value

            try await client.send("still open")
            print(try client.readTextMessage())  // a blocking call of this thread: one line with all others
            // sample end
            #expect(Printed.take() == ["given up", "still open"])
        }

        @Test("events, as a sequence and for a handler")
        func events() async throws {
            let server = try EchoServer()
            // sample: events
            // where server.url() is shown as "ws://localhost:9001/echo"
            let client = try WebSocketClient(unconnected: server.url())
            let events = client.events  // from the first attempt on
            let watcher = Task { for await event in events { print(event) } }

            try await client.connect()
            try await client.close()
            await watcher.value  // the last event is closed
            // sample end
            let seen = Printed.take()
            #expect(seen.map { $0.prefix { $0.isLetter } } == ["connecting", "open", "closing", "closed"], "\(seen)")
        }

        @Test("events for blocking callers")
        func handler() throws {
            let server = try EchoServer()
            var configuration = ClientConfiguration()
            // sample: event-handler
            configuration.eventHandler = { event in print(event) }  // on a background thread
            // sample end
            let client = try WebSocketClient(server.url(), configuration: configuration)
            try client.close()
            #expect(Printed.take(4).last?.hasPrefix("closed") == true)
        }
    }
}
