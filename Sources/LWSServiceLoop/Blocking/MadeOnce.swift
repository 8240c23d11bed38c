// What the process makes once, when it is first needed.

/// Something that is made when it is first asked for, and again until that succeeds. A `static let` of an optional would keep
/// for good that there was no memory for it.
package struct MadeOnce<Value: Sendable>: Sendable {
    private let made = Locked(Value?.none)
    private let make: @Sendable () -> Value?

    /// - Parameter make: runs on one thread at a time, with a lock held.
    package init(_ make: @escaping @Sendable () -> Value?) { self.make = make }

    /// `nil` where it could not be made this time.
    package var value: Value? {
        made.withLock { made in
            if made == nil { made = make() }
            return made
        }
    }
}
