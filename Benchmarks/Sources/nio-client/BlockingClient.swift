// NIOWebSocket used synchronously: the caller waits for its write, and for the message that comes.

import CMeasure
import DequeModule
import Dispatch
import NIOConcurrencyHelpers
import NIOCore
import NIOWebSocket

/// The frames that came and were not read yet.
final class Inbox: Sendable {
    private let frames = NIOLockedValueBox(Deque<WebSocketFrame>())
    private let available = DispatchSemaphore(value: 0)

    func put(_ frame: WebSocketFrame) {
        frames.withLockedValue { $0.append(frame) }
        available.signal()
    }

    func take() -> WebSocketFrame {
        available.wait()
        return frames.withLockedValue { $0.removeFirst() }
    }
}

final class InboxHandler: ChannelInboundHandler {
    typealias InboundIn = WebSocketFrame
    private let inbox: Inbox

    init(_ inbox: Inbox) { self.inbox = inbox }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) { inbox.put(unwrapInboundIn(data)) }
    func errorCaught(context: ChannelHandlerContext, error: any Error) { bench_fail("\(error)") }
}

struct BlockingClient {
    private let channel: any Channel
    private let inbox = Inbox()
    private let options: Options

    init(_ options: Options, _ connector: Connector) throws {
        self.options = options
        channel = try connector.connect { [inbox] in InboxHandler(inbox) }
    }

    func close() throws { try channel.close().wait() }

    func run(_ count: Int) throws {
        switch options.workload {
        case "receive":
            try channel.writeAndFlush(WebSocketFrame.text(String(count))).wait()
            let ring = bench_ring(options.size)
            for number in 0..<count { inbox.take().check(number % ring, options.size) }
        case "send":
            if options.batch > 1 {
                try sendBatches(count)
            } else {
                for number in 0..<count { try write(number) }
            }
            try channel.writeAndFlush(WebSocketFrame.text("?")).wait()
            inbox.take().checkReport(count, options.size)
        default:
            for number in 0..<count {
                try write(number)
                inbox.take().check(number, options.size)
            }
        }
    }

    private func write(_ number: Int) throws {
        try channel.writeAndFlush(WebSocketFrame.measured(number, options.size)).wait()
    }

    private func sendBatches(_ count: Int) throws {
        for first in stride(from: 0, to: count, by: options.batch) {
            let last = min(first + options.batch, count)
            let frames = (first..<last).map { WebSocketFrame.measured($0, options.size) }
            let promise = channel.eventLoop.makePromise(of: Void.self)
            channel.eventLoop.execute { [channel] in
                for frame in frames.dropLast() { channel.write(frame, promise: nil) }
                channel.writeAndFlush(frames[frames.count - 1], promise: promise)
            }
            try promise.futureResult.wait()
        }
    }
}
