// Messages on their way from the loop to the queue.

import DequeModule
import Testing

@testable import LWSWebSocket

@Suite("What has arrived and was not handed over")
struct ArrivalsTests {
    private func add(_ bytes: [UInt8], to arrivals: inout Arrivals, remaining: Int = 0) -> Arrivals.Step {
        bytes.withUnsafeBytes { bytes in
            arrivals.add(
                .init(bytes: bytes, kind: .binary, remainingInFrame: remaining, endsMessage: remaining == 0))
        }
    }

    @Test("is whole messages, of which the first is told apart")
    func gathers() {
        var arrivals = Arrivals(maxFrameSize: 1000, maxMessageSize: nil, room: .init())
        #expect(add([1], to: &arrivals, remaining: 1) == .incomplete)
        #expect(arrivals.messages.isEmpty)
        #expect(add([2], to: &arrivals) == .gathered(isFirst: true, isFull: false))
        #expect(add([3], to: &arrivals) == .gathered(isFirst: false, isFull: false))
        #expect(arrivals.messages == [.binary([1, 2]), .binary([3])])
        arrivals.messages.removeAll()
        #expect(add([4], to: &arrivals) == .gathered(isFirst: true, isFull: false))
    }

    @Test("is never more than the queue has room for, in messages and in bytes")
    func room() {
        var arrivals = Arrivals(maxFrameSize: 1000, maxMessageSize: nil, room: .init(messages: 2, bytes: 100))
        #expect(add([1], to: &arrivals) == .gathered(isFirst: true, isFull: false))
        #expect(add([2], to: &arrivals) == .gathered(isFirst: false, isFull: true))
        arrivals.messages.removeAll()
        arrivals.room = .init(messages: 10, bytes: 5)
        #expect(add([1, 2, 3, 4], to: &arrivals) == .gathered(isFirst: true, isFull: false))
        #expect(add([5], to: &arrivals) == .gathered(isFirst: false, isFull: true))
    }

    @Test("is handed over now and then, however much room there is")
    func most() {
        var arrivals = Arrivals(maxFrameSize: 1000, maxMessageSize: nil, room: .init())
        var count = 0
        while add([], to: &arrivals) != .gathered(isFirst: false, isFull: true) { count += 1 }
        #expect((100..<InboundQueue.maxMessages).contains(count))
    }
}

extension Arrivals.Step: Equatable {
    static func == (left: Self, right: Self) -> Bool {
        switch (left, right) {
        case (.incomplete, .incomplete): true
        case (.gathered(let first, let full), .gathered(let otherFirst, let otherFull)):
            first == otherFirst && full == otherFull
        case (.violation(let left), .violation(let right)): left == right
        default: false
        }
    }
}
