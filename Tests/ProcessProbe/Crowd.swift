// Threads that write on a connection while it is closed.

import LWSServiceLoop
import LWSWebSocket

enum Crowd {
    /// Four threads write numbered messages of their own, with the fill that their first byte says, until it fails. Meanwhile
    /// another waits for a message, and closes the connection when it is there.
    /// - Parameter done: is told how many messages each of them has written.
    static func write(_ url: String, done: (_ writer: Int, _ count: Int) -> Void) throws {
        let client = try WebSocketClient(url)
        let counts = Locked([Int](repeating: 0, count: 4))
        let ended = MonotonicSemaphore()
        for writer in 0..<4 as Range<UInt8> {
            try LoopThread(name: "writer") {
                for number in 0..<UInt32.max {
                    // Every other one is more than the system takes at once.
                    let size = number % 2 == 0 ? 20 : 20_000
                    let head = [writer] + (0..<4).map { UInt8(truncatingIfNeeded: number >> (8 * $0)) }
                    guard (try? client.writeBinaryMessage(head + [UInt8](repeating: writer, count: size))) != nil
                    else { break }
                    counts.withLock { $0[Int(writer)] += 1 }
                }
                ended.signal()
            }.detach()
        }
        _ = try client.readTextMessage()
        try client.close()
        for _ in 0..<4 { _ = ended.wait(until: .never) }
        for (writer, count) in counts.withLock({ $0 }).enumerated() { done(writer, count) }
    }

    /// One connection after the other, on which a thread writes until it is over, and each time another one as soon as that
    /// is so: its socket is likely to get the number of the first.
    static func reuse(_ url: String) throws {
        for _ in 0..<50 {
            let client = try WebSocketClient("\(url)ended")
            let ended = MonotonicSemaphore()
            try LoopThread(name: "writer") {
                while (try? client.writeBinaryMessage([1, 2, 3])) != nil {}
                ended.signal()
            }.detach()
            while (try? client.readMessage()) != nil {}
            let next = try WebSocketClient("\(url)next")
            try next.writeTextMessage("next")
            try next.close()
            _ = ended.wait(until: .never)
        }
    }
}
