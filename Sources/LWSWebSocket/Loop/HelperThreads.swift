// Threads for what can only be done by blocking one.

internal import LWSServiceLoop

/// Runs jobs that block for as long as they like, on at most so many threads at once; what does not find one waits in line.
/// The threads end when nothing waits.
final class HelperThreads: Sendable {
    struct Job: Sendable {
        /// A job that has not begun by then is dropped: nobody waits for it any more.
        let deadline: Deadline
        let run: @Sendable () -> Void
        /// Called in place of `run` where the system has no thread left.
        let refuse: @Sendable (LoopError) -> Void
    }

    private struct State {
        var running = 0
        var waiting: [Job] = []
    }

    private let name: String
    private let most: Int
    private let state = Locked(State())

    init(name: String, most: Int) {
        self.name = name
        self.most = most
    }

    /// What connecting asks the application and the file system for, on behalf of suspended callers.
    static let forConnecting = HelperThreads(name: "lws-helper", most: 16)

    func run(_ job: Job) {
        let mayRun = state.withLock { state in
            // Those whose callers have given up are dropped here, so the line is no longer than the callers are.
            state.waiting.removeAll(where: \.deadline.hasPassed)
            guard state.running < most else {
                state.waiting.append(job)
                return false
            }
            state.running += 1
            return true
        }
        guard mayRun else { return }
        do throws(LoopError) {
            try LoopThread(name: name) { self.work(job) }.detach()
        } catch {
            // Where no thread is left to come back to the line, nobody would serve it.
            let stranded = state.withLock { state in
                state.running -= 1
                guard state.running == 0 else { return [Job]() }
                defer { state.waiting = [] }
                return state.waiting
            }
            for job in [job] + stranded { job.refuse(error) }
        }
    }

    private func work(_ first: Job) {
        var next: Job? = first
        while let job = next {
            job.run()
            next = state.withLock { state in
                state.waiting.removeAll(where: \.deadline.hasPassed)
                guard !state.waiting.isEmpty else {
                    state.running -= 1
                    return nil
                }
                return state.waiting.removeFirst()
            }
        }
    }
}
