// NIOWebSocket event-driven: everything happens on the loop.

import CMeasure
import NIOCore
import NIOWebSocket

/// What the handlers of all connections share. Safe to share: everything but `perform` runs on the one loop.
final class EventRun: @unchecked Sendable {
    let options: Options
    private let loop: any EventLoop
    private let over: EventLoopPromise<Void>
    private var handlers: [EventHandler] = []
    private var finished = 0
    private var isMeasuring = false

    init(_ options: Options, on loop: any EventLoop) {
        self.options = options
        self.loop = loop
        over = loop.makePromise()
    }

    /// Blocks until all is measured.
    func perform() throws {
        loop.execute { self.begin(self.options.warmup) }
        try over.futureResult.wait()
    }

    func add(_ handler: EventHandler) { handlers.append(handler) }

    private func begin(_ count: Int) {
        finished = 0
        for handler in handlers { handler.begin(count) }
    }

    func handlerFinished() {
        finished += 1
        guard finished == handlers.count else { return }
        if isMeasuring {
            bench_stop()
            over.succeed()
        } else {
            isMeasuring = true
            // Not from within the last handler's reading.
            loop.execute {
                bench_start()
                self.begin(self.options.count)
            }
        }
    }
}

/// One connection.
final class EventHandler: ChannelInboundHandler {
    typealias InboundIn = WebSocketFrame
    typealias OutboundOut = WebSocketFrame

    private enum Workload { case roundTrip, receive, send }

    private let run: EventRun
    private let workload: Workload
    private let size: Int
    private let batch: Int
    private let ring: Int
    private var context: ChannelHandlerContext?
    private var target = 0
    private var sent = 0
    private var received = 0
    private var isSending = false

    init(_ run: EventRun) {
        self.run = run
        workload =
            switch run.options.workload {
            case "receive": .receive
            case "send": .send
            default: .roundTrip
            }
        (size, batch) = (run.options.size, run.options.batch)
        ring = bench_ring(size)
    }

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        run.add(self)
    }

    func begin(_ count: Int) {
        (target, sent, received) = (count, 0, 0)
        switch workload {
        case .roundTrip: write(0)
        case .receive: flush(.text(String(count)))
        case .send: sendWhileWritable()
        }
    }

    private func write(_ number: Int) { flush(.measured(number, size)) }

    private func flush(_ frame: WebSocketFrame) { context?.writeAndFlush(wrapOutboundOut(frame), promise: nil) }

    private func sendWhileWritable() {
        // A flush may say within itself that the channel is writable again.
        guard let context, sent < target, !isSending else { return }
        isSending = true
        defer { isSending = false }
        while sent < target, context.channel.isWritable {
            let last = min(sent + batch, target)
            while sent < last {
                context.write(wrapOutboundOut(.measured(sent, size)), promise: nil)
                sent += 1
            }
            context.flush()
        }
        if sent == target { flush(.text("?")) }
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if workload == .send { sendWhileWritable() }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let frame = unwrapInboundIn(data)
        switch workload {
        case .send:
            frame.checkReport(target, size)
            run.handlerFinished()
        case .receive:
            frame.check(received % ring, size)
            received += 1
            if received == target { run.handlerFinished() }
        case .roundTrip:
            frame.check(received, size)
            received += 1
            if received == target { run.handlerFinished() } else { write(received) }
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { bench_fail("\(error)") }
}
