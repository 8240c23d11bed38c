// Name look-ups with an outcome that a test chooses.

import Foundation
import LWSServiceLoop

@testable import LWSWebSocket

/// Gives the same addresses for every name.
struct FixedResolver: NameResolver {
    private let addresses: [String]
    init(_ addresses: [String]) { self.addresses = addresses }

    func resolve(_ host: String, deadline: Deadline, _ answer: @escaping @Sendable (NameResolution) -> Void) {
        answer(.addresses(addresses.map(ResolvedAddress.init)))
    }
}

/// Never answers.
struct SlowResolver: NameResolver {
    func resolve(_ host: String, deadline: Deadline, _ answer: @escaping @Sendable (NameResolution) -> Void) {}
}

/// Sets variables of the environment while `body` runs.
func withEnvironment<Result>(_ variables: [String: String], _ body: () throws -> Result) rethrows -> Result {
    for (name, value) in variables { setenv(name, value, 1) }
    defer { for name in variables.keys { unsetenv(name) } }
    return try body()
}
