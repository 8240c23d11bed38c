// The paths that end a connection, or never do.

import LWSEchoServer
import LWSWebSocket
import TestSupport
import Testing

@Suite("Paths that end a connection", .serialized)
struct EndingPathTests {
    private let server: EchoServer

    init() throws {
        server = try EchoServer()
    }

    @Test(
        "/close closes at once with its code and reason, percent-decoded",
        arguments: [
            ("/close/1000", 1000, ""), ("/close/4321/bye", 4321, "bye"), ("/close/1011/a%20b", 1011, "a b"),
            ("/close/3000/%C3%BC%2F%2B%3F%26%3B%25", 3000, "ü/+?&;%"), ("/close/1000/", 1000, ""),
            ("/close/4000/" + String(repeating: "r", count: 123), 4000, String(repeating: "r", count: 123)),
            ("/close/1002", 1002, ""), ("/close/2999/odd", 2999, "odd"),
        ])
    func close(path: String, code: Int, reason: String) throws {
        let client = try server.rawClient(path)
        #expect(try client.readFrame() == .close(code, reason))
        client.send(.close(code, reason))
        #expect(client.connection.readUntilEnd().isEmpty)
    }

    @Test("/close is seen by the library's client as what it is")
    func closeSeen() throws {
        let client = try WebSocketClient(server.url("/close/4001/not%20today"))
        let error = #expect(throws: WebSocketError.self) { try client.readMessage() }
        #expect(error?.closure?.code == 4001)
        #expect(error?.closure?.reason == "not today")
        #expect(error?.closure?.initiator == .peer)
    }

    @Test("/drop ends TCP without a close frame")
    func drop() throws {
        let client = try server.rawClient("/drop")
        #expect(client.connection.readUntilEnd().isEmpty)
        let other = try server.rawClient("/drop/0")
        #expect(other.connection.readUntilEnd().isEmpty)
    }

    @Test("/drop/n does so after n echoed messages", arguments: [1, 3])
    func dropAfter(count: Int) throws {
        let client = try server.rawClient("/drop/\(count)")
        for index in 0..<count {
            // A fragment is no message.
            client.send(.text("\(index)", fin: false))
            #expect(try client.readFrame() == .text("\(index)", fin: false))
            client.send(.continuation([]))
            #expect(try client.readFrame() == .continuation([]))
        }
        #expect(client.connection.readUntilEnd().isEmpty)
    }

    @Test("/drop/n is a lost connection for the library's client")
    func dropSeen() throws {
        let client = try WebSocketClient(server.url("/drop/1"))
        try client.writeTextMessage("last")
        #expect(try client.readTextMessage() == "last")
        let error = #expect(throws: WebSocketError.self) { try client.readMessage() }
        #expect(error?.closure?.code == 1006)
        #expect(error?.closure?.initiator == .network)
    }

    @Test("/drop/n counts messages that arrive together, and echoes no more than those")
    func dropTogether() throws {
        let client = try server.rawClient("/drop/2")
        client.send(.text("1"), .text("2"), .text("3"), .text("4"))
        #expect(try client.readFrame() == .text("1"))
        #expect(try client.readFrame() == .text("2"))
        #expect(client.connection.readUntilEnd().isEmpty)
    }

    @Test("/silent answers neither a message nor a ping nor a close, and stays")
    func silent() throws {
        let stop = try Promptness(without: farewell) {
            let server = try EchoServer()
            let client = try server.rawClient("/silent")
            client.send(.text("anybody?"), .ping("?"), .close(1000))
            #expect(client.connection.isQuiet(for: .milliseconds(300)))
            #expect(eventually { server.connectionCount == 1 })
            // It does not hold up the server's end, and gets no close frame then either.
            let time = Timing.of { server.stop() }
            #expect(client.connection.readUntilEnd().isEmpty)
            return time
        }
        #expect(stop.isPrompt, "\(stop)")
    }

    @Test("/silent lets the library's close run into its timeout")
    func silentSeen() throws {
        let client = try WebSocketClient(server.url("/silent"))
        let time = try Timing.of { try client.close(timeout: .milliseconds(100)) }
        #expect(time >= .milliseconds(100), "\(time)")
        server.stop()
    }
}
