// Utilities/: what Swift has not, and belongs to no room.
//
// Holds: a small optional, blanks and encodings of texts, what an application notes on a client.
// Used by: Client, Reconnecting, Configuration, Auth, Session, Connection, Errors.
// Uses: nothing.

/// An optional value that takes no more room than a pointer where it is stored. There is memory for it only where there is one,
/// and copies share it: many clients are made with the same settings.
@propertyWrapper
struct Boxed<Value: Sendable>: Sendable {
    private final class Box: Sendable {
        let value: Value
        init(_ value: Value) { self.value = value }
    }

    private var box: Box?

    init(wrappedValue: Value?) { box = wrappedValue.map(Box.init) }

    var wrappedValue: Value? {
        get { box?.value }
        set { box = newValue.map(Box.init) }
    }
}

/// Whoever looks at what it is stored in sees the value.
extension Boxed: CustomStringConvertible, CustomReflectable {
    var description: String { String(describing: wrappedValue) }
    var customMirror: Mirror { Mirror(reflecting: wrappedValue as Any) }
}
