// Many bytes, made and compared. Tests are not optimised: one byte after the other, that takes longer than sending them.

import Foundation
import TestSupport

extension SeededGenerator {
    /// Bytes that do not compress.
    mutating func bytes(_ count: Int) -> [UInt8] {
        let words = (0..<(count + 7) / 8).map { _ in next() }
        return words.withUnsafeBytes { Array($0.prefix(count)) }
    }
}

/// Whether two messages are alike. For an expectation, which prints both where they are not, compare them before it.
func areSame(_ one: [UInt8], _ other: [UInt8]) -> Bool {
    one.count == other.count && memcmp(one, other, one.count) == 0
}
