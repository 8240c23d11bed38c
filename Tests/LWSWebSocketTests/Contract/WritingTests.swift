// The contract's writeTextMessage and writeBinaryMessage.

import Foundation
import LWSEchoServer
import LWSServiceLoop
import TestSupport
import Testing

@testable import LWSWebSocket

@Suite("Writing messages", .serialized)
struct WritingTests {
    @Test("sends a text and a binary message as one masked frame each")
    func single() throws {
        let catcher = try FrameCatcher()
        let client = try WebSocketClient(catcher.server.url())
        try client.writeTextMessage("grüße €")
        try client.writeBinaryMessage([0, 1, 255])
        let frames = try catcher.next(2)
        #expect(frames.map(\.opcode) == [1, 2])
        #expect(frames.allSatisfy { $0.fin && $0.masked && $0.rsv == 0 })
        #expect(frames.map(\.payload) == [Array("grüße €".utf8), [0, 1, 255]])
    }

    @Test("sends anything that has its bytes in one piece")
    func contiguous() throws {
        let catcher = try FrameCatcher()
        let client = try WebSocketClient(catcher.server.url())
        try client.writeBinaryMessage(Data([1, 2]))
        try client.writeBinaryMessage([9, 1, 2, 9][1...2])
        try client.writeBinaryMessage(Data())
        #expect(try catcher.next(3).map(\.payload) == [[1, 2], [1, 2], []])
    }

    @Test("sends where libwebsockets waits for the socket by itself already, and does not tell when it is asked to")
    func awaitedTwice() throws {
        let server = try EchoServer()
        var configuration = ClientConfiguration()
        configuration.writeTimeout = .seconds(30)
        let client = try WebSocketClient(server.url(), configuration: configuration)
        try client.inside.onLoop { line, held in
            guard let wsi = line.session.wsi else { return }
            line.role.reading.awaitWritable(wsi, held)
            // As after a callback for writing during which lws was asked for the next.
            let isFree = line.role.reading.becameWritable(wsi, held)
            #expect(isFree)
            line.role.reading.awaitWritable(wsi, held)
        }
        try client.writeTextMessage("sent")
        #expect(try client.readTextMessage() == "sent")
    }

    @Test("sends empty messages")
    func empty() throws {
        let catcher = try FrameCatcher()
        let client = try WebSocketClient(catcher.server.url())
        try client.writeTextMessage("")
        try client.writeBinaryMessage([])
        let frames = try catcher.next(2)
        #expect(frames.map(\.payload) == [[], []])
        #expect(frames.map(\.opcode) == [1, 2])
    }

    @Test(
        "cuts a message into frames of at most maxFrameSize, through code points too",
        arguments: [(1, 5), (2, 10), (125, 1000), (126, 126), (126, 127), (65536, 65536), (65536, 200_000)])
    func fragments(_ frameSize: Int, _ count: Int) throws {
        let catcher = try FrameCatcher()
        var configuration = ClientConfiguration()
        configuration.maxFrameSize = frameSize
        let client = try WebSocketClient(catcher.server.url(), configuration: configuration)
        let text = String(repeating: "€", count: count / 3) + String(repeating: "x", count: count % 3)
        try client.writeTextMessage(text)
        let frames = try catcher.next((count + frameSize - 1) / frameSize)
        #expect(frames.first?.opcode == 1)
        #expect(frames.dropFirst().allSatisfy { $0.opcode == 0 })
        #expect(frames.map(\.fin) == frames.indices.map { $0 == frames.count - 1 })
        #expect(frames.allSatisfy { $0.payload.count <= frameSize })
        #expect(frames.flatMap(\.payload) == Array(text.utf8))
    }

    @Test("cuts a message that was laid out to be compressed, where the connection does not compress")
    func laidOutInOnePiece() throws {
        let catcher = try FrameCatcher()
        var configuration = ClientConfiguration()
        configuration.maxFrameSize = 1000
        let client = try WebSocketClient(catcher.server.url(), configuration: configuration)
        #expect(!client.inside.compresses)
        try client.inside.write(.text(String(repeating: "x", count: 2500)), timeout: Timing.ages)
        #expect(try catcher.next(3).map(\.payload.count) == [1000, 1000, 500])
    }

    @Test("returns only when the operating system has the whole message")
    func blocksWhileThePeerDoesNotRead() throws {
        let server = try StallingServer()
        let client = try WebSocketClient(server.url())
        let writing = try server.stuckWrite(on: client)
        #expect(writing.isBlocked(for: .milliseconds(300)))
        server.readOn()
        try writing.value()
        try client.close(timeout: Timing.ages)
        #expect(server.received.withLock { $0 } == StallingServer.tooMuch)
    }

    @Test("takes back a message of which nothing has left when the time is up, and the connection stays open")
    func timeoutBehindAnother() throws {
        let server = try StallingServer()
        let client = try WebSocketClient(server.url())
        let stuck = try server.stuckWrite(on: client)
        let message = [UInt8](repeating: 1, count: 10).withUnsafeBytes { OutgoingMessage(.binary, $0) }
        let error = #expect(throws: WebSocketError.self) {
            try client.inside.write(message, timeout: .milliseconds(100))
        }
        #expect(error?.code == .writeTimedOut)
        #expect(error?.closure == nil)
        #expect(client.isOpen)
        server.readOn()
        try stuck.value()
        try client.writeTextMessage("still open")
        try client.close(timeout: Timing.ages)
        #expect(server.received.withLock { $0 } == StallingServer.tooMuch + "still open".utf8.count)
    }

    @Test("ends the connection when the time is up and a part of the message has left, and says so")
    func timeoutInTheMiddle() throws {
        let server = try StallingServer()
        var configuration = ClientConfiguration()
        let limit = Duration.milliseconds(400)
        configuration.writeTimeout = limit
        let message = [UInt8](repeating: 7, count: StallingServer.tooMuch)
        let kept = try Punctuality(of: limit) { () -> Duration in
            let client = try WebSocketClient(server.url(), configuration: configuration)
            var error: WebSocketError?
            var time = Duration.zero
            // Where the machine is too busy for a part of it to leave in time, the connection stays open.
            for _ in 0..<10 where client.isOpen {
                // With the time that it takes to copy the message.
                time = Timing.of { error = failure { try client.writeBinaryMessage(message) } }
                #expect(error?.code == .writeTimedOut)
            }
            #expect(error?.closure?.code == 1006)
            #expect(error?.description.contains("ended") == true)
            #expect(!client.isOpen)
            #expect(failure { try client.writeTextMessage("x") }?.code == .connectionClosure)
            return time
        }
        #expect(kept.isKept, "\(kept)")
    }
}
