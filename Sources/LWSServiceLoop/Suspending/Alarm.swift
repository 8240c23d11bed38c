// The time limits of suspended callers.

/// Signals a task when its time is up: a timer of a loop, armed and cancelled from any thread without blocking it. Where no
/// loop runs it is one of Swift's own.
struct Alarm: Sendable {
    private enum Clock {
        case loop(ServiceLoop, LoopBound<AlarmEntry>)
        case swift(Task<Void, Never>)
    }

    private let clock: Clock

    init(_ signal: TaskSignal, after delay: Duration, on loop: ServiceLoop?) {
        if let loop {
            let entry = LoopBound(AlarmEntry(signal), on: loop)
            let isArmed = Self.on(loop) { held in
                held.resident(Alarms.self)?.arm(entry.get(held), after: delay, held)
            }
            // Not where lws has ended the loop by itself, and its clock with it.
            if isArmed {
                clock = .loop(loop, entry)
                return
            }
        }
        clock = .swift(
            Task {
                try? await Task.sleep(for: delay, clock: LoopClock())
                signal.signal()
            })
    }

    /// Nobody waits for it any more.
    func cancel() {
        switch clock {
        case .loop(let loop, let entry):
            Self.on(loop) { held in held.resident(Alarms.self)?.cancel(entry.get(held), held) }
        case .swift(let task): task.cancel()
        }
    }

    /// Returns false where the loop has ended.
    @discardableResult
    private static func on(_ loop: ServiceLoop, _ work: @escaping ServiceLoop.Work) -> Bool {
        loop.tryHold { held in work(held) } != nil || loop.perform(work)
    }
}

/// An alarm as it lives on the loop.
final class AlarmEntry {
    let signal: TaskSignal
    private(set) lazy var timer = LoopTimer { [unowned self] held in
        held.resident(Alarms.self)?.rang(self)
    }
    /// It may be cancelled before the work that arms it has had its turn.
    var isOver = false

    init(_ signal: TaskSignal) { self.signal = signal }
}

/// The armed alarms of a loop, which keeps them.
final class Alarms: LoopResident {
    private var armed: [ObjectIdentifier: AlarmEntry] = [:]

    init?(_ held: borrowing HeldLoop) {}

    func arm(_ entry: AlarmEntry, after delay: Duration, _ held: borrowing HeldLoop) {
        guard !entry.isOver else { return }
        armed[ObjectIdentifier(entry)] = entry
        entry.timer.arm(after: delay, held)
    }

    func cancel(_ entry: AlarmEntry, _ held: borrowing HeldLoop) {
        entry.isOver = true
        guard armed.removeValue(forKey: ObjectIdentifier(entry)) != nil else { return }
        entry.timer.cancel(held)
    }

    func rang(_ entry: AlarmEntry) {
        armed[ObjectIdentifier(entry)] = nil
        entry.signal.signal()
    }

    /// Without a loop nobody would tell them of the time.
    func loopEnds(_ held: borrowing HeldLoop) {
        for entry in armed.values {
            entry.timer.cancel(held)
            entry.signal.signal()
        }
        armed = [:]
    }
}
