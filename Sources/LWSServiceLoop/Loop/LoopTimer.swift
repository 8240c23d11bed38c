// A timer on the loop.

/// A one-shot timer that calls back on the loop, between two passes of lws.
///
/// Lives on the loop, together with the object that owns it, which has to `cancel` it before it lets go of it. Not lws's
/// own kind of timer (`lws_sul_schedule`): when the next one of those is due, lws tells nobody, and a loop that waits by
/// itself has to know.
package final class LoopTimer {
    fileprivate let fired: (borrowing HeldLoop) -> Void
    fileprivate var due = LoopClock.now
    /// Its place in the heap while it is armed.
    fileprivate var place: Int?

    /// Whether it has yet to call back.
    package var isArmed: Bool { place != nil }

    package init(_ fired: @escaping (borrowing HeldLoop) -> Void) { self.fired = fired }

    deinit { precondition(place == nil, "a timer was dropped while it was armed") }

    /// Calls back once, `delay` from now. One that is armed inside a callback of another falls due in the loop's next turn
    /// at the earliest.
    package func arm(after delay: Duration, _ held: borrowing HeldLoop) {
        cancel(held)
        // The clock cannot express instants centuries away.
        due = LoopClock.now.advanced(by: min(delay, .seconds(100 * 365 * 24 * 3600)))
        held.timers.insert(self)
    }

    package func cancel(_ held: borrowing HeldLoop) { held.timers.remove(self) }
}

/// The armed timers of a loop: a binary heap, the earliest first, in which each timer knows its place so that it can be
/// taken out.
final class LoopTimers {
    private var heap: [LoopTimer] = []

    /// When the next one is due.
    var earliest: LoopClock.Instant? { heap.first?.due }

    func insert(_ timer: LoopTimer) {
        heap.append(timer)
        timer.place = heap.count - 1
        rise(heap.count - 1)
    }

    func remove(_ timer: LoopTimer) {
        guard let place = timer.place else { return }
        timer.place = nil
        let last = heap.removeLast()
        guard place < heap.count else { return }
        put(last, place)
        rise(place)
        sink(place)
    }

    /// Calls back for each that is due now.
    func fireDue(_ held: borrowing HeldLoop) {
        guard !heap.isEmpty else { return }
        let now = LoopClock.now
        while let first = heap.first, first.due <= now {
            remove(first)
            first.fired(held)
        }
    }

    private func put(_ timer: LoopTimer, _ place: Int) {
        heap[place] = timer
        timer.place = place
    }

    private func swap(_ one: Int, _ other: Int) {
        let timer = heap[one]
        put(heap[other], one)
        put(timer, other)
    }

    private func rise(_ start: Int) {
        var place = start
        while place > 0, heap[place].due < heap[(place - 1) / 2].due {
            swap(place, (place - 1) / 2)
            place = (place - 1) / 2
        }
    }

    private func sink(_ start: Int) {
        var place = start
        while true {
            var child = 2 * place + 1
            if child + 1 < heap.count, heap[child + 1].due < heap[child].due { child += 1 }
            guard child < heap.count, heap[child].due < heap[place].due else { return }
            swap(place, child)
            place = child
        }
    }
}

extension Duration {
    /// In whole microseconds, rounded up, for a timer must not fire early; 70,000 years at most, for lws adds the time of
    /// now (sorted-usec-list.c, lws_sul_schedule).
    package var microseconds: Int64 {
        let limit = Int64.max / 4
        let (seconds, attoseconds) = components
        guard seconds < limit / 1_000_000 else { return limit }
        guard seconds > -limit / 1_000_000 else { return -limit }
        return seconds * 1_000_000 + (attoseconds + 999_999_999_999) / 1_000_000_000_000
    }
}
