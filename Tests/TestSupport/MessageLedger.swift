// Counting messages from end to end.

/// Keeps the books of one client's messages, numbered from 0, which a server sends back: what was sent, what came back, and
/// what may be missing because a connection was lost.
package struct MessageLedger: Sendable {
    /// What must not happen.
    package enum Fault: Error, Equatable, CustomStringConvertible {
        /// It came back a second time, or behind one that was sent later.
        case repeated(Int)
        /// It was never sent, or its connection had ended for good.
        case unknown(Int)
        /// Its connection was not lost, and it did not come back.
        case lost(Int)

        package var description: String {
            switch self {
            case .repeated(let number): "message \(number) came back twice, or too late"
            case .unknown(let number): "message \(number) came back and was not expected"
            case .lost(let number): "message \(number) was lost on a connection that was not"
            }
        }
    }

    private var outstanding: [(number: Int, losses: Int)] = []
    private var highest = -1
    /// The number of the next message.
    package private(set) var next = 0
    package private(set) var returned = 0
    /// Messages that were under way when a connection was lost.
    package private(set) var missing = 0

    package init() {}

    /// Messages whose return is awaited.
    package var awaited: Int { outstanding.count }

    /// The next message is about to be sent; `losses` connections have been lost so far.
    package mutating func willSend(losses: Int) -> Int {
        defer { next += 1 }
        outstanding.append((next, losses))
        return next
    }

    /// It was not sent, or nobody knows whether it was.
    package mutating func maySendNever(_ number: Int) {
        guard let place = outstanding.firstIndex(where: { $0.number == number }) else { return }
        // It counts as of a connection that is lost.
        outstanding[place].losses = -1
    }

    /// A message has come back.
    package mutating func received(_ number: Int, losses: Int) throws(Fault) {
        guard number > highest else { throw .repeated(number) }
        guard let place = outstanding.firstIndex(where: { $0.number == number }) else { throw .unknown(number) }
        for earlier in outstanding[..<place] where earlier.losses == losses { throw .lost(earlier.number) }
        missing += place
        outstanding.removeFirst(place + 1)
        highest = number
        returned += 1
    }

    /// The connection has ended, and nothing that was sent on it comes back any more.
    package mutating func connectionEnded() {
        missing += outstanding.count
        outstanding = []
    }

    /// Whether all that is awaited was sent on connections that are lost, or may never have been sent.
    package func awaitsLostOnly(losses: Int) -> Bool { outstanding.allSatisfy { $0.losses != losses } }

    /// Nothing has come for long: forgets what was sent on connections that are lost.
    package mutating func nothingCame(losses: Int) throws(Fault) {
        if let message = outstanding.first(where: { $0.losses == losses }) { throw .lost(message.number) }
        connectionEnded()
    }
}
