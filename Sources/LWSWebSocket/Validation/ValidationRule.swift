// What has to hold for one value.

#if canImport(FoundationEssentials)
    internal import FoundationEssentials
#else
    internal import Foundation
#endif

/// A rule for a value, for use in a ``Constraint``. Which rules there are depends on the type of the value.
public struct ValidationRule<Value>: Sendable {
    private let text: String
    private let holds: @Sendable (Value, Date) -> Bool

    /// A rule of the application's own.
    /// - Parameters:
    ///   - text: what has to hold, to be read after the field's name: "must be even".
    ///   - holds: whether it does.
    public init(_ text: String, _ holds: @escaping @Sendable (Value) -> Bool) {
        self.text = text
        self.holds = { value, _ in holds(value) }
    }

    /// A rule that asks for the time.
    init(_ text: String, at holds: @escaping @Sendable (Value, _ now: Date) -> Bool) {
        self.text = text
        self.holds = holds
    }

    func check(_ value: Value, _ run: inout ValidationRun) {
        if !holds(value, run.now) { run.report(text) }
    }
}
