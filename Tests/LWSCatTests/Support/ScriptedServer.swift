// Servers that do what a test wants, when it wants it.

import LWSServiceLoop
import TestSupport

/// A server for one client after the other, which records what comes and sends what it is told to.
final class ScriptedServer: Sendable {
    private struct State {
        var connection: RawConnection?
        var heads: [String] = []
        var frames: [RawFrame] = []
    }

    private let server: RawServer
    private let state: Locked<State>
    private let news: MonotonicSemaphore

    /// - Parameters:
    ///   - headers: whole lines for its answers.
    ///   - answersClose: whether a close frame is sent back.
    init(headers: [String] = [], answersClose: Bool = true) throws {
        let state = Locked(State())
        let news = MonotonicSemaphore()
        (self.state, self.news) = (state, news)
        server = try RawServer { peer in
            guard let head = try? peer.acceptUpgrade(extraHeaders: headers) else { return }
            state.withLock {
                $0.heads.append(head); $0.connection = peer
            }
            news.signal()
            while let frame = try? peer.readFrame() {
                state.withLock { $0.frames.append(frame) }
                news.signal()
                if frame.opcode == 9 { peer.sendFrame(opcode: 10, frame.payload) }
                guard frame.opcode == 8, answersClose else { continue }
                peer.sendFrame(opcode: 8, frame.payload)
                return peer.waitForEnd()
            }
            news.signal()
        }
    }

    func url(_ path: String = "/") -> String { server.url(path) }

    /// Sends a text message once a client is connected.
    func send(_ text: String) throws {
        try connection().sendFrame(opcode: 1, Array(text.utf8))
    }

    func connection() throws -> RawConnection {
        try wait("a client") { $0.connection }
    }

    /// The head of the first request.
    func head() throws -> String { try wait("a request") { $0.heads.first } }

    /// The messages that have come, once there are so many.
    func messages(_ count: Int) throws -> [String] {
        try wait("\(count) messages") { state in
            let texts = state.frames.filter { $0.opcode == 1 }.map(\.text)
            return texts.count >= count ? texts : nil
        }
    }

    /// The first close frame.
    func close() throws -> RawFrame { try wait("a close frame") { $0.frames.first { $0.opcode == 8 } } }

    private func wait<Value>(_ what: String, _ value: (State) -> Value?) throws -> Value {
        let deadline = Deadline(after: Timing.ages)
        while true {
            if let value = state.withLock({ value($0) }) { return value }
            guard news.wait(until: deadline) else { throw PeerError("\(what) did not come") }
        }
    }
}
