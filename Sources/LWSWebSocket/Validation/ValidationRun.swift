// The state of checking one value.

#if canImport(FoundationEssentials)
    internal import FoundationEssentials
#else
    internal import Foundation
#endif

/// Where checking has got to, and what it has found.
struct ValidationRun {
    /// One moment for all rules about dates.
    let now: Date
    private(set) var violations: [ConstraintViolation] = []
    private var path = FieldPath()

    /// A message of many small invalid elements would otherwise become a far larger list.
    static let mostViolations = 1000

    init(now: Date) { self.now = now }

    var isFull: Bool { violations.count >= Self.mostViolations }

    mutating func report(_ rule: String) {
        guard !isFull else { return }
        violations.append(ConstraintViolation(path: path.description, rule: rule))
    }

    /// Runs `body` one step further down.
    mutating func descend(_ step: FieldPath.Step, _ body: (inout ValidationRun) -> Void) {
        path.steps.append(step)
        body(&self)
        path.steps.removeLast()
    }
}
