// What stays of a client for the next one with the same settings, and for how long.

import LWSServiceLoop
import TestSupport
import Testing

@testable import LWSWebSocket

@Suite("The vhosts of a loop")
struct ClientVhostPoolTests {
    private let loop = WebSocketLoop()

    /// Runs `body` on the loop with its vhosts.
    private func onLoop<Value: Sendable>(
        _ body: @escaping @Sendable (ClientVhostPool, borrowing HeldLoop) -> Value
    ) throws -> Value {
        let value = try loop.onThread { held in held.resident(ClientVhostPool.self).map { body($0, held) } }
        return try #require(value)
    }

    @Test("one that nobody uses any more is there for the next who wants it, and ends a moment later")
    func lingers() throws {
        let lease = try loop.lease()
        let key = VhostKey(proxyPort: 3128)
        let isSame = try onLoop { pool, held in
            let first = pool.acquire(key, held)
            pool.release(key, held)
            let second = pool.acquire(key, held)
            return first != nil && first === second
        }
        #expect(isSame)
        #expect(try onLoop { pool, _ in pool.count } == 2)
        try onLoop { pool, held in pool.release(key, held) }
        #expect(try eventually { try onLoop { pool, _ in pool.count } == 1 })
        withExtendedLifetime(lease) {}
    }

    @Test("of many that nobody uses any more, eight are there for a moment")
    func bound() throws {
        let lease = try loop.lease()
        let count = try onLoop { pool, held in
            for port in 1...20 { _ = pool.acquire(VhostKey(proxyPort: port), held) }
            for port in 1...20 { pool.release(VhostKey(proxyPort: port), held) }
            return pool.count
        }
        #expect(count == 9, "the plain one, too")
        #expect(try eventually { try onLoop { pool, _ in pool.count } == 1 })
        withExtendedLifetime(lease) {}
    }
}
