// Whether something was not waited for.

/// Tells what happens at once from what waits, where the wait has a length of its own, such as that of a server's patience,
/// and cannot be made so long that nothing else takes as long (``Timing/ages``).
///
/// What waits takes that long each time. So a single attempt that is over before shows that nothing is waited for. A busy
/// machine, on which everything may take as long now and then, gets several attempts.
package struct Promptness: CustomStringConvertible {
    package let wait: Duration
    private var attempts: [Duration] = []

    private static let many = 9

    /// - Parameters:
    ///   - wait: how long it would last at least if it waited.
    ///   - attempt: makes one attempt, and returns how long what is looked at in it lasted.
    package init(without wait: Duration, attempt: () throws -> Duration) rethrows {
        self.wait = wait
        repeat { attempts.append(try attempt()) } while !isPrompt && attempts.count < Self.many
    }

    package var isPrompt: Bool { attempts.contains { $0 < wait } }

    package var description: String { "lasted \(attempts), as with a wait of \(wait)" }
}
