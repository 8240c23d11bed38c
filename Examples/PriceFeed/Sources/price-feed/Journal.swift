// What the feed's thread tells the demonstration.

import Foundation

/// Events, in the order in which they came, to wait for.
final class Journal: @unchecked Sendable {
    // Safe to share: `events` is touched with the condition's lock held.
    private let condition = NSCondition()
    private var events: [String] = []

    func note(_ event: String) {
        condition.lock()
        events.append(event)
        condition.broadcast()
        condition.unlock()
    }

    /// Waits until an event that begins so comes, or has come, and forgets it with all before it.
    func wait(for beginning: String) -> String {
        condition.lock()
        defer { condition.unlock() }
        while true {
            if let index = events.firstIndex(where: { $0.hasPrefix(beginning) }) {
                defer { events.removeFirst(index + 1) }
                return events[index]
            }
            condition.wait()
        }
    }
}
