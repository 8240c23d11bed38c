// Who has something to do before lws looks at its connections, and after.

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// Who wants to hear before lws looks at all its connections.
package protocol PassStarter: AnyObject {
    func passBegins(_ held: borrowing HeldLoop)
}

/// Who gathers what lws delivers piece by piece, and deals with it once for all that was read.
package protocol PassFinisher: AnyObject {
    func passEnds(_ held: borrowing HeldLoop)
}

extension HeldLoop {
    /// Has `starter` called once, before lws's next pass.
    package func whenPassBegins(_ starter: any PassStarter) { core.passes.add(starter) }

    /// Has it not called any more.
    package func notWhenPassBegins(_ starter: any PassStarter) { core.passes.remove(starter) }

    /// Has `finisher` called once, when lws returns from what it is doing. To be called from a callback of lws for a
    /// connection that is served; a later call from there, when `finisher` was called, asks again.
    package func whenPassEnds(_ finisher: any PassFinisher) { core.passes.add(finisher) }

    /// For a finisher: whether lws has had too little memory in the call in which it was asked for. What it had read of a connection
    /// may be lost then, where it was to keep some of that for later (core-net/service.c: `lws_rxflow_cache`, whose failure nobody
    /// looks at).
    package var lackedMemory: Bool { core.passes.lackedMemory }

    /// Whether lws looks at everything just now, and not at one connection alone.
    package var isInsidePass: Bool { core.passes.isUnderWay }
}

/// The passes of one context of lws. Lives on the loop.
final class Passes {
    var isUnderWay = false
    /// lws has had too little memory for something in the call of it that is under way.
    var lacksMemory = false
    /// The same of the call in which the finisher was asked for that is being called.
    private(set) var lackedMemory = false
    private var starters: [ObjectIdentifier: any PassStarter] = [:]
    private var finishers: [(finisher: any PassFinisher, lackedMemory: Bool)] = []
    private var isFinishing = false

    func add(_ starter: any PassStarter) { starters[ObjectIdentifier(starter)] = starter }
    func remove(_ starter: any PassStarter) { starters[ObjectIdentifier(starter)] = nil }
    func add(_ finisher: any PassFinisher) { finishers.append((finisher, false)) }

    /// Calls lws, which may be inside another call of it. Returns whether it had the memory for what it did: what it lacks it mostly
    /// keeps to itself, and `errno` tells of it until something else has failed.
    func watchingMemory(_ body: () -> Void) -> Bool {
        let (first, outer) = (finishers.count, lacksMemory || HeldLoop.lacksMemory)
        lacksMemory = false
        errno = 0
        body()
        let isShort = lacksMemory || HeldLoop.lacksMemory
        if isShort { for index in first..<finishers.count { finishers[index].lackedMemory = true } }
        lacksMemory = outer
        return !isShort
    }

    func begin(_ held: borrowing HeldLoop) {
        while let (key, starter) = starters.first {
            starters[key] = nil
            starter.passBegins(held)
        }
    }

    /// lws has returned from serving connections, all or one.
    func end(_ held: borrowing HeldLoop) {
        // One of them may have lws serve a connection, of which others want to hear then.
        guard !finishers.isEmpty, !isFinishing else { return }
        isFinishing = true
        var index = 0
        while index < finishers.count {
            lackedMemory = finishers[index].lackedMemory
            finishers[index].finisher.passEnds(held)
            index += 1
        }
        finishers.removeAll(keepingCapacity: true)
        isFinishing = false
    }
}
