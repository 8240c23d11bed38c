// Where a generated case takes its decisions from.

import Foundation

/// A sequence of decisions: from a seed, the same ones for the same seed; or from bytes that somebody else has chosen, as
/// a coverage-guided fuzzer does, after which all are 0.
package struct Choices: RandomNumberGenerator, Sendable {
    private var state: UInt64 = 0
    private var bytes: ArraySlice<UInt8>?

    /// The decisions of one case of many.
    package init(seed: UInt64, case index: UInt64) {
        state = seed &* 0x2545_f491_4f6c_dd1d &+ index &* 0x9e37_79b9_7f4a_7c15
    }

    package init(bytes: some Sequence<UInt8>) { self.bytes = Array(bytes)[...] }

    /// SplitMix64, or the next eight bytes.
    package mutating func next() -> UInt64 {
        if bytes != nil { return (0..<8).reduce(0) { value, _ in value << 8 | UInt64(nextByte()) } }
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }

    private mutating func nextByte() -> UInt8 { bytes?.popFirst() ?? 0 }

    // MARK: - Decisions

    /// A number of the range; small ranges take one byte, so that a fuzzer's bytes stay in step.
    package mutating func int(_ range: ClosedRange<Int>) -> Int {
        let count = range.upperBound - range.lowerBound + 1
        let value = bytes != nil && count <= 256 ? UInt64(nextByte()) : next()
        return range.lowerBound + Int(value % UInt64(count))
    }

    /// True once in so many times, and for no bytes left false.
    package mutating func once(in times: Int) -> Bool { int(0...times - 1) == times - 1 }

    package mutating func pick<Element>(_ elements: [Element]) -> Element { elements[int(0...elements.count - 1)] }

    /// Many of few bytes, few of many.
    package mutating func size(upTo limit: Int) -> Int {
        let most = pick([0, 1, 2, 8, 40, 125, 126, 200, 1000, 4095, 4096, 5000, 65535, 65536, limit])
        return int(0...min(most, limit))
    }

    package mutating func bytes(_ count: Int) -> [UInt8] {
        guard bytes == nil else { return (0..<count).map { _ in nextByte() } }
        var result: [UInt8] = []
        result.reserveCapacity(count + 8)
        while result.count < count { withUnsafeBytes(of: next()) { result += $0 } }
        return Array(result.prefix(count))
    }

    /// Text in several scripts.
    package mutating func text(_ count: Int) -> String {
        let letters = Array("abcdefghij 0123456789\"\\{}[]:,äöüß€жетон漢字🙂")
        return String((0..<count).map { _ in pick(letters) })
    }

    // MARK: - Damage

    /// Changes bytes here and there; keeps `kept` at the beginning.
    package mutating func damage(_ bytes: inout [UInt8], keeping kept: Int = 0) {
        for _ in 0..<int(1...4) where bytes.count > kept {
            let place = int(kept...bytes.count - 1)
            switch int(0...7) {
            case 0: bytes[place] ^= 1 << UInt8(int(0...7))
            case 1: bytes[place] = UInt8(truncatingIfNeeded: next())
            case 2: bytes[place] = pick([0, 1, 0x7f, 0x80, 0xff, 0x0d, 0x0a, 0x20, 0x30, 0x82, 0x84])
            case 3: bytes.remove(at: place)
            case 4: bytes.insert(UInt8(truncatingIfNeeded: next()), at: place)
            case 5: bytes.removeSubrange(place..<min(bytes.count, place + int(1...64)))
            case 6: bytes.insert(contentsOf: bytes[place..<min(bytes.count, place + int(1...64))], at: place)
            default: bytes.removeSubrange(place...)
            }
        }
    }
}
