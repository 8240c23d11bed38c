// The contract's retryConfig, with a real server that crashes and comes back.

import Foundation
import LWSServiceLoop
import TestSupport
import Testing

@testable import LWSWebSocket

@Suite("Retrying", .serialized)
struct RetryTests {
    /// One server after the other on the same port.
    private final class RestartingServer {
        let port: Int
        private(set) var servers: [PythonWebSocketsServer]

        init() throws {
            let first = try PythonWebSocketsServer()
            port = first.port
            servers = [first]
        }

        /// - Parameter port: nobody listens there yet.
        init(later port: Int) {
            self.port = port
            servers = []
        }

        deinit { for server in servers { server.kill() } }

        func url(_ path: String) -> String { "ws://127.0.0.1:\(port)\(path)" }
        var current: PythonWebSocketsServer { get throws { try #require(servers.last) } }
        func kill() throws { try current.kill() }
        func start() throws { servers.append(try PythonWebSocketsServer(port: port)) }

        /// What all of them have got.
        var recorded: [String] { servers.flatMap(\.recorded) }
    }

    @Test("connects as soon as the server is there")
    func firstConnect() throws {
        let server = RestartingServer(later: try FreePort.find())
        let log = RetryLog()
        let url = server.url("/record")
        let connecting = try Background { [configuration = log.configuration()] in
            try WebSocketClient(url, configuration: configuration)
        }
        for _ in 0..<3 { try log.next() }
        #expect(connecting.isBlocked(for: .zero))
        try server.start()
        let client = try connecting.value()
        #expect(client.isOpen)
        try client.writeTextMessage("hello")
        #expect(try client.readTextMessage() == "hello")
        let events = log.all
        #expect(events.map(\.attempt) == Array(0..<events.count))
        #expect(events.allSatisfy { $0.wait == .milliseconds(20) && $0.error.code == .connection })
        try client.close()
        // Its output comes by a pipe.
        #expect(eventually { server.recorded == ["hello"] })
    }

    @Test("a blocked read goes on with what the new server sends, after a crash and after another")
    func blockedRead() throws {
        let server = try RestartingServer()
        let log = RetryLog()
        let client = try WebSocketClient(server.url("/text/1"), configuration: log.configuration())
        for _ in 0..<2 {
            #expect(try client.readTextMessage() == "message 0")
            let reading = try Background { try client.readTextMessage() }
            #expect(reading.isBlocked())
            try server.kill()
            for _ in 0..<2 { try log.next() }
            #expect(reading.isBlocked(for: .milliseconds(10)))
            #expect(!client.isOpen)
            try server.start()
            #expect(try reading.value() == "message 0")
            #expect(client.isOpen)
            // For the next round, in which the count begins anew.
            try server.kill()
            try server.start()
        }
        let events = log.all
        #expect(events.filter { $0.attempt == 0 }.count >= 3, "a success resets the count")
        #expect(events.filter { $0.attempt == 0 }.allSatisfy { $0.error.closure?.code == 1006 })
        #expect(events.filter { $0.attempt > 0 }.allSatisfy { $0.error.code == .connection })
        try client.close()
    }

    @Test("a write that meets the loss is sent once, when the server is back")
    func write() throws {
        let server = try RestartingServer()
        let log = RetryLog()
        let client = try WebSocketClient(server.url("/record"), configuration: log.configuration())
        try client.writeTextMessage("one.")
        // The answer has arrived, but is not read before the loss.
        #expect(eventually { client.inside.hasUnread })
        try server.kill()
        #expect(eventually { !client.isOpen })
        let writing = try Background {
            try client.writeTextMessage("two.")
            try client.ping()
            try client.writeTextMessage("three.")
        }
        try log.next()
        #expect(writing.isBlocked(for: .milliseconds(50)))
        try server.start()
        try writing.value()
        try server.current.waitUntilRecorded("three.")
        #expect(eventually { server.recorded == ["one.", "two.", "three."] })
        #expect(try (0..<3).map { _ in try client.readTextMessage() } == ["one.", "two.", "three."])
        try client.close()
    }

    @Test("no message is sent twice by several writers through several crashes, and none is lost in silence")
    func writers() throws {
        let server = try RestartingServer()
        let log = RetryLog()
        let client = try WebSocketClient(server.url("/record"), configuration: log.configuration())
        let isEnding = Locked(false)
        let unsure = Locked<[String]>([])
        let reading = try Background { while failure({ try client.readMessage() }) == nil {} }
        let writers = try (0..<3).map { writer in
            try Background {
                var number = 0
                while !isEnding.withLock({ $0 }) {
                    let message = "\(writer)-\(number)."
                    if let error = failure({ try client.writeTextMessage(message) }) {
                        // Only where a part may have left; then it says so.
                        #expect(error.closure?.initiator == .network && !error.isRetriable)
                        #expect(error.description.contains("may have arrived"))
                        unsure.withLock { $0.append(message) }
                    }
                    number += 1
                    // Leave the server time to print: the pace of a chatty client, not a wait for anything.
                    _ = MonotonicSemaphore().wait(until: Deadline(after: .microseconds(500)))
                }
                return number
            }
        }
        for _ in 0..<3 {
            #expect(try eventually { try server.current.recorded.count > 50 })
            try server.kill()
            try server.start()
        }
        #expect(try eventually { try server.current.recorded.count > 50 })
        isEnding.withLock { $0 = true }
        let counts = try writers.map { try $0.value() }
        try client.writeTextMessage("last.")
        try server.current.waitUntilRecorded("last.")
        try client.close()
        try reading.value()
        let recorded = server.recorded
        #expect(Set(recorded).count == recorded.count, "a message came twice")
        // Each server got what each writer wrote in the order in which it was written, without a gap: what a crash
        // swallowed had been handed to the operating system before it.
        for one in server.servers {
            for writer in 0..<3 {
                let numbers = one.recorded.filter { $0.hasPrefix("\(writer)-") }
                    .compactMap { Int($0.dropFirst(2).dropLast()) }
                #expect(numbers == Array((numbers.first ?? 0)..<(numbers.first ?? 0) + numbers.count))
            }
        }
        let total = counts.reduce(0, +)
        #expect(recorded.count <= total + 1)
        #expect(log.all.filter { $0.attempt == 0 }.count >= 3)
    }
}
