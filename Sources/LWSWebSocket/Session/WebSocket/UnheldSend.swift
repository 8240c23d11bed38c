// A caller's send(2), for which they do not hold the loop.

internal import CLibWebSockets
internal import LWSServiceLoop
internal import Synchronization

/// A whole message that a caller sends with the loop free for others: the system call takes most of a message's time, and who
/// was interrupted in it, by the very peer that it wakes, would have everybody wait.
///
/// It begins with the loop held. From then on the holder of the loop neither writes to the socket nor closes it before the
/// caller is done (``settle()``): lws asks before it waits for its turn to write, and tells before it closes.
///
/// | state | it says | who goes on |
/// |---|---|---|
/// | `idle` | nobody sends | a caller who holds the loop begins: `sending` |
/// | `sending` | a caller is in send(2), without the loop | they end it: `idle`, or `left` where the system has not taken all |
/// | `sending`, `isFollowed` | others have queued messages | the caller sends those too when they are done |
/// | `sending`, `isAwaited` | the holder of the loop sleeps | the caller wakes them |
/// | `left` | lws is to be given the rest, before anything else leaves | whoever holds the loop first: `idle` |
final class UnheldSend: @unchecked Sendable {
    // Safe to share: `rest` is the caller's while the state is `sending` and the loop holder's in all others, `waiter` the
    // other way round until `isAwaited` is set; each is handed over by a change of the state.
    private struct State: OptionSet {
        let rawValue: UInt8
        static let idle: State = []
        static let sending = State(rawValue: 1)
        static let isFollowed = State(rawValue: 2)
        static let isAwaited = State(rawValue: 4)
        static let left = State(rawValue: 8)
    }

    /// What the system has not taken.
    struct Rest {
        /// Owns the bytes.
        let message: OutgoingMessage
        /// `nil`: the connection is broken.
        let bytes: UnsafeMutableRawBufferPointer?
    }

    private let state = Atomic<UInt8>(State.idle.rawValue)
    private var rest: Rest?
    private var waiter: MonotonicSemaphore?

    /// How often the holder of the loop looks before they sleep.
    private static let looks = 100

    // MARK: - For the holder of the loop

    /// Whether a caller sends, or what they left has yet to be given to lws.
    var isUnderWay: Bool { state.load(ordering: .acquiring) != State.idle.rawValue }

    func begin() { state.store(State.sending.rawValue, ordering: .relaxed) }

    /// Leaves what is queued to the caller who sends. Returns false where nobody does.
    func follow() -> Bool {
        var current = state.load(ordering: .relaxed)
        while State(rawValue: current).contains(.sending) {
            let (isDone, found) = state.weakCompareExchange(
                expected: current, desired: current | State.isFollowed.rawValue, ordering: .acquiringAndReleasing)
            if isDone { return true }
            current = found
        }
        return false
    }

    /// Waits until the caller is done, for as long as the system call takes. Returns what lws is to be given then.
    func settle() -> Rest? {
        guard isUnderWay else { return nil }
        for _ in 0..<Self.looks where isSending { clws_relax() }
        if isSending {
            let semaphore = MonotonicSemaphore()
            waiter = semaphore
            let before = state.bitwiseOr(State.isAwaited.rawValue, ordering: .acquiringAndReleasing).oldValue
            if State(rawValue: before).contains(.sending) { _ = semaphore.wait(until: .never) }
            waiter = nil
        }
        defer {
            rest = nil
            state.store(State.idle.rawValue, ordering: .relaxed)
        }
        return rest
    }

    private var isSending: Bool { State(rawValue: state.load(ordering: .acquiring)).contains(.sending) }

    // MARK: - For the caller

    /// The system has taken everything. Returns whether others have left their messages to this caller.
    func end() -> Bool { change(to: .idle).contains(.isFollowed) }

    /// It has not.
    func end(leaving rest: Rest) {
        self.rest = rest
        _ = change(to: .left)
    }

    private func change(to next: State) -> State {
        let before = State(rawValue: state.exchange(next.rawValue, ordering: .acquiringAndReleasing))
        // Nothing of this is looked at any more once the holder goes on.
        if before.contains(.isAwaited) { waiter?.signal() }
        return before
    }
}
