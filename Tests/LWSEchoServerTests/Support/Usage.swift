// What this process holds, before and after.

import TestSupport
import Testing

/// Descriptors and threads of this process.
struct Usage: CustomStringConvertible {
    let descriptors: Int
    let threads: Int

    init() throws {
        descriptors = try ProcessMetrics.openDescriptors()
        threads = try ProcessMetrics.threads()
    }

    var description: String { "\(descriptors) descriptors, \(threads) threads" }

    /// Waits until the process holds no more than it did.
    func expectBack(sourceLocation: SourceLocation = #_sourceLocation) throws {
        let isBack = eventually {
            guard let now = try? Usage() else { return false }
            return now.descriptors <= descriptors && now.threads <= threads
        }
        let now = try Usage()
        #expect(isBack, "before: \(self); after: \(now)", sourceLocation: sourceLocation)
    }
}
