// What the queues do for suspended callers, without I/O.

import HTTPTypes
import LWSServiceLoop
import TestSupport
import Testing

@testable import LWSWebSocket

@Suite("The queues' side of suspended callers")
struct SuspendedStateTests {
    private func wait(_ queue: inout InboundQueue, _ task: TaskSignal? = nil) throws -> InboundQueue.Reader {
        guard case .wait(let reader) = queue.take(.any, waking: task) else {
            throw WebSocketError(.invalidArgument, "served from an empty queue")
        }
        return reader
    }

    private func text(_ served: InboundQueue.Served?) -> String? {
        guard case .message(.text(let text)) = served else { return nil }
        return text
    }

    @Test("blocked and suspended readers stand in one line")
    func line() throws {
        var queue = InboundQueue()
        let readers = [
            try wait(&queue), try wait(&queue, TaskSignal()), try wait(&queue), try wait(&queue, TaskSignal()),
        ]
        for number in 0..<4 { _ = queue.put(.text("\(number)")) }
        for (number, reader) in readers.enumerated() {
            let served = queue.collect(reader)
            #expect(text(served) == "\(number)")
        }
        #expect(queue.isEmpty)
    }

    @Test("a message that is put back goes to the next reader in line, or stays in front of all others")
    func putBack() throws {
        var queue = InboundQueue()
        let gone = try wait(&queue, TaskSignal())
        _ = queue.put(.text("first"))
        _ = queue.put(.text("second"))
        let room = queue.room
        guard case .message(let message) = queue.withdraw(gone) else {
            Issue.record("it was not served")
            return
        }
        let woken = queue.putBack(message)
        #expect(woken.first == nil, "nobody is in line")
        #expect(queue.room == .init(messages: room.messages - 1, bytes: room.bytes - 5))
        let (first, second) = (queue.takeNow(.any), queue.takeNow(.any))
        #expect(text(first) == "first" && text(second) == "second")
        let again = try wait(&queue, TaskSignal())
        let next = try wait(&queue)
        _ = queue.put(.text("third"))
        guard case .message(let third) = queue.withdraw(again) else {
            Issue.record("it was not served")
            return
        }
        let served = queue.putBack(third).first
        #expect(served === next)
        let collected = queue.collect(next)
        #expect(text(collected) == "third")
    }

    @Test("messages that are put back come in the order in which they had come, whoever gives them up first")
    func putBackInOrder() throws {
        var queue = InboundQueue()
        let readers = try (0..<3).map { _ in try wait(&queue, TaskSignal()) }
        for number in 0..<5 { _ = queue.put(.text("\(number)")) }
        for index in [0, 2, 1] {
            let woken = queue.giveUp(readers[index])
            #expect(woken?.first == nil, "nobody is in line")
        }
        var next = queue.handOver()
        var again = queue.isEmpty ? [] : ["left"]
        again.append(text(next.takeNow(.any)) ?? "")
        // One more time, from the midst.
        let first = next.putBack(.text("0"), number: 1)
        #expect(first.first == nil)
        while let served = next.takeNow(.any) { again.append(text(served) ?? "") }
        #expect(again == ["0", "0", "1", "2", "3", "4"])
        let none = queue.giveUp(readers[0])
        #expect(none == nil, "it was given up before")
    }

    @Test("a connection that was made for a redirect and never opened is not used for the origin")
    func unusedConnection() throws {
        let configuration = ClientConfiguration()
        let client = try WebSocketClient(unconnected: "ws://origin.example/", configuration: configuration)
        let elsewhere = try Destination(to: WebSocketURL("ws://elsewhere.example/"), configuration)
        #expect(try client.inside.host(installing: elsewhere) == "elsewhere.example")
        #expect(try client.inside.host(installing: nil) == "origin.example")
    }

    @Test("a reader who is suspended is not kept for the next one")
    func spare() throws {
        var queue = InboundQueue()
        let suspended = try wait(&queue, TaskSignal())
        let nothing = queue.withdraw(suspended)
        #expect(text(nothing) == nil)
        let blocked = try wait(&queue)
        #expect(blocked !== suspended && blocked.signal.semaphore != nil)
    }

    @Test("a message that nobody waits for is taken back, or leaves, and the connection stays open")
    func letGo() {
        var state = ConnectionState()
        _ = state.beginConnecting(waking: .suspended(TaskSignal()))
        _ = state.opened(nil)
        let messages = (0..<2).map { _ in
            [UInt8](repeating: 1, count: 20).withUnsafeBytes { OutgoingMessage(.binary, $0) }
        }
        for message in messages { _ = state.write(message) }
        _ = state.nextFrame(maxFrameSize: 10)
        guard case .begun = state.letGo(messages[0]), case .withdrawn = state.letGo(messages[1]) else {
            Issue.record("the one had begun, the other had not")
            return
        }
        #expect(state.phase == .open && state.outbound.count == 1)
        _ = state.nextFrame(maxFrameSize: 10)
        _ = state.flushed()
        guard case .late(.sent) = state.letGo(messages[0]) else {
            Issue.record("it has left")
            return
        }
    }

    @Test("a signal that comes before anybody waits is not lost; nor is one of a timer or a cancellation")
    func signals() async throws {
        let early = TaskSignal()
        early.signal()
        early.signal()
        await early.wait()
        let loop = try ServiceLoop(LoopOptions(name: "lws-test", watchesSockets: true))
        defer { loop.stop() }
        let start = ContinuousClock.now
        await TaskSignal().wait(until: Deadline(after: .milliseconds(50)), by: loop)
        #expect(ContinuousClock.now - start >= .milliseconds(50))
        let task = Task { await TaskSignal().wait(until: Deadline(after: .seconds(100)), by: loop) }
        task.cancel()
        await task.value
        #expect(ContinuousClock.now - start < Timing.atOnce)
        // Many at once, in no order, of which some are gone before.
        await withTaskGroup(of: Void.self) { group in
            for number in 0..<500 {
                group.addTask {
                    let signal = TaskSignal()
                    if number % 3 == 0 { signal.signal() }
                    await signal.wait(until: Deadline(after: .milliseconds(number % 50)), by: loop)
                }
            }
        }
    }
}
