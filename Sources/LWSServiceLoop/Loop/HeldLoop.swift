// The rule of the house in types: only the holder of a loop touches libwebsockets.

import CLibWebSockets

/// Proof that the current thread holds a loop, and the way to everything that lives on it.
///
/// Only the holder of the loop touches lws: every function that calls into lws, or that reads or changes something
/// which lives on the loop, takes a `borrowing HeldLoop`. It cannot be copied, stored or sent, and only
/// ``LoopContext`` makes one, so such a function cannot be called from anywhere else. The single exception is
/// `lws_cancel_service`, which lws documents as safe from any thread and which ``ServiceLoop`` alone calls.
///
/// Who the holder is does not show here: the loop's own thread, or a caller who has taken it (``ServiceLoop/hold(_:)``).
public struct HeldLoop: ~Copyable {
    // Not retained, for this is made with each callback of lws: whoever holds the loop keeps it alive.
    private let unretained: Unmanaged<LoopContext>
    var core: LoopContext { unretained._withUnsafeGuaranteedRef { $0 } }

    // Not inlined: Swift 6.3.1's optimiser aborts on it in a generic function ("Cannot initialize a nonCopyable type with
    // a guaranteed value", GenericSpecializer).
    @inline(never) @usableFromInline
    init(_ core: Unmanaged<LoopContext>) { unretained = core }

    /// lws's context.
    package var context: OpaquePointer { core.pointer }

    /// Which loop is held.
    package var id: LoopID { core.id }

    @usableFromInline
    func check(_ loop: LoopID) { precondition(id == loop, "an object of one service loop was used on another") }

    var timers: LoopTimers { core.timers }

    /// Something that lives as long as the loop does (a vhost with its protocols, say), made on first use.
    package func resident<Resident: LoopResident>(
        _ type: Resident.Type = Resident.self
    ) -> Resident? {
        if let present = core.residents[ObjectIdentifier(type)] as? Resident { return present }
        guard let made = Resident(self) else { return nil }
        core.residents[ObjectIdentifier(type)] = made
        return made
    }
}

/// Something that is made once on a loop and stays until the loop's lws context is gone.
package protocol LoopResident: AnyObject {
    /// Makes it on the held loop; `nil` where lws refuses.
    init?(_ held: borrowing HeldLoop)

    /// The context is about to be destroyed. What lws must not meet any more, such as an armed timer, is taken from it.
    func loopEnds(_ held: borrowing HeldLoop)
}

extension LoopResident {
    package func loopEnds(_ held: borrowing HeldLoop) {}
}

/// The identity of a loop.
public struct LoopID: Hashable, Sendable {
    private let object: ObjectIdentifier
    init(_ loop: LoopContext) { object = ObjectIdentifier(loop) }
}

/// An object that lives on one loop, in the hands of a caller who may keep it and send it on, but can look inside
/// only while holding that loop.
public struct LoopBound<Value>: @unchecked Sendable {
    // Safe to share: the value is moved in (`sending`), so nobody else refers to it, and comes out only against
    // a HeldLoop of its own loop, of which there is one at a time. Value's `deinit` must not touch lws, for the
    // last reference may be dropped anywhere.
    @usableFromInline let value: Value
    @usableFromInline let loop: LoopID

    package init(_ value: sending Value, on loop: ServiceLoop) {
        self.value = value
        self.loop = loop.id
    }

    /// Wraps an object that lives on the loop already. The caller holds the loop.
    package init(_ value: Value, _ held: borrowing HeldLoop) {
        self.value = value
        loop = held.id
    }

    @inlinable
    public func get(_ held: borrowing HeldLoop) -> Value {
        held.check(loop)
        return value
    }
}
