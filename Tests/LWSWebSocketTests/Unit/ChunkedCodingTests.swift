// The chunked transfer coding, byte by byte.

import TestSupport
import Testing

@testable import LWSWebSocket

@Suite("The chunked coding")
struct ChunkedCodingTests {
    private struct Outcome: Equatable {
        var content: [UInt8] = []
        /// Bytes that belong to the body.
        var used = 0
        var isComplete = false
        var failure: ChunkedCoding.Failure?
    }

    /// What comes of the bytes, which are handed over in pieces that end at the places given.
    private func decode(_ bytes: [UInt8], _ cuts: [Int] = []) -> Outcome {
        var (coding, outcome) = (ChunkedCoding(), Outcome())
        for (start, end) in zip([0] + cuts, cuts + [bytes.count]) {
            do throws(ChunkedCoding.Failure) {
                outcome.used += try decode(bytes[start..<end], &coding, &outcome.content)
            } catch {
                outcome.used = 0
                outcome.failure = error
                break
            }
        }
        outcome.isComplete = coding.isComplete
        return outcome
    }

    private func decode(
        _ part: ArraySlice<UInt8>, _ coding: inout ChunkedCoding, _ content: inout [UInt8]
    ) throws(ChunkedCoding.Failure) -> Int {
        let bytes = UnsafeMutableRawBufferPointer.allocate(byteCount: part.count, alignment: 1)
        defer { bytes.deallocate() }
        bytes.copyBytes(from: part)
        return try coding.decode(UnsafeRawBufferPointer(bytes)) { content += $0 }
    }

    private func decode(_ text: String) -> Outcome { decode(Array(text.utf8)) }

    private static let forms: [(coded: String, content: String)] = [
        ("0\r\n\r\n", ""), ("000000000000000000000000\r\n\r\n", ""), ("5\r\nhello\r\n0\r\n\r\n", "hello"),
        ("0000000000000000000000005\r\nhello\r\n00000000\r\n\r\n", "hello"),
        ("A\r\n0123456789\r\na\r\n0123456789\r\n0\r\n\r\n", "01234567890123456789"),
        ("1\r\n\r\r\n1\r\n\n\r\n0\r\n\r\n", "\r\n"),
        ("5;name\r\nhello\r\n0;last\r\n\r\n", "hello"), ("5;name=value\r\nhello\r\n0\r\n\r\n", "hello"),
        ("5;a=b;c;d=\"e\"\r\nhello\r\n0\r\n\r\n", "hello"),
        ("5;sig=\"a;b\"\r\nhello\r\n0\r\n\r\n", "hello"),
        ("5;sig=\"a\\\"b\\\\\";x\r\nhello\r\n0\r\n\r\n", "hello"), ("5;q=\"\"\r\nhello\r\n0\r\n\r\n", "hello"),
        ("5 ; name = value ;\tb\t=\t\"c\" \r\nhello\r\n0\r\n\r\n", "hello"),
        ("5   \r\nhello\r\n0 \r\n\r\n", "hello"),
        ("5\r\nhello\r\n0\r\nX-Checksum: 1234\r\nB:\r\n\r\n", "hello"),
    ]

    @Test("takes everything that RFC 9112, section 7.1 allows, however it is cut", arguments: forms.indices)
    func valid(_ index: Int) {
        let (coded, content) = Self.forms[index]
        let bytes = Array(coded.utf8)
        let expected = Outcome(content: Array(content.utf8), used: bytes.count, isComplete: true)
        #expect(decode(bytes) == expected)
        #expect(decode(bytes, Array(1..<bytes.count)) == expected)
        for cut in 0...bytes.count { #expect(decode(bytes, [cut]) == expected, "\(cut)") }
        // What follows is no part of it, and half of it is not all.
        #expect(decode(bytes + [48, 13, 10]) == expected)
        for length in 0..<bytes.count {
            let part = decode(Array(bytes.prefix(length)))
            #expect(!part.isComplete && part.failure == nil, "\(length)")
        }
    }

    @Test(
        "takes nothing else",
        arguments: [
            "x\r\n", "\r\n", " 5\r\nhello\r\n", "-5\r\nhello\r\n", "+5\r\nhello\r\n", "0x5\r\nhello\r\n",
            "5\nhello\r\n",
            "5\rhello\r\n", "5 5\r\nhello\r\n", "5\r\nhello\n0\r\n\r\n", "5\r\nhelloX", "5\r\nhello0\r\n\r\n",
            "5\r\nhello\r\r",
            "5;\r\n", "5;=b\r\n", "5;a=\r\n", "5;a==b\r\n", "5;a=\"b\r\n", "5;a=\"b\"c\r\n", "5;a b\r\n",
            "5;a=b c\r\n",
            "5;(a)\r\n", "5;;a\r\n", "ffffffffffffffff\r\n", "8000000000000000\r\n", "0\r\n\n",
            "0\r\nno colon\r\n\r\n",
            "0\r\n: x\r\n", "0\r\na: b\n", "0\r\n\rx", "0\r\n a: b\r\n", "5;a=\"\u{1}\"\r\n",
        ])
    func invalid(_ coded: String) {
        let outcome = decode(coded)
        #expect(outcome.failure == .malformed, "\(outcome)")
        #expect(!outcome.isComplete)
    }

    @Test("ends where extensions and trailer fields go on and on")
    func excessive() {
        let long = String(repeating: "x", count: 100_000)
        for coded in ["5;\(long)", "5;a=\"\(long)", "0\r\na: \(long)", String(repeating: "0", count: 100_000)] {
            #expect(decode(coded).failure == .excessive)
        }
        let trailers = String(repeating: "a: b\r\n", count: 20_000)
        #expect(decode("0\r\n\(trailers)\r\n").failure == .excessive)
        // But any number of chunks may be as small as they like.
        let small = String(repeating: "00000001\r\nx\r\n", count: 100_000)
        #expect(decode("\(small)0\r\n\r\n").content.count == 100_000)
    }

    /// A size, in any of the ways that there are.
    private func size(_ count: Int, _ generator: inout SeededGenerator) -> String {
        let zeros = String(repeating: "0", count: Int.random(in: 0...9, using: &generator))
        let digits = String(count, radix: 16, uppercase: Bool.random(using: &generator))
        let extensions = ["", ";a", ";a=b", ";a=\"b;\\\"c\"", " ;\ta = b", "  "]
        return zeros + digits + (extensions.randomElement(using: &generator) ?? "") + "\r\n"
    }

    @Test("gives back what went in, whatever the sizes and wherever it is cut")
    func roundTrips() {
        for seed in 0..<500 as Range<UInt64> {
            var generator = SeededGenerator(seed: seed)
            let content = (0..<Int.random(in: 0...300, using: &generator)).map { _ in
                UInt8.random(in: 0...255, using: &generator)
            }
            var (coded, rest) = ([UInt8](), content[...])
            while !rest.isEmpty {
                let count = Int.random(in: 1...rest.count, using: &generator)
                coded += Array(size(count, &generator).utf8) + rest.prefix(count) + [13, 10]
                rest = rest.dropFirst(count)
            }
            coded += Array((size(0, &generator) + (Bool.random(using: &generator) ? "A: b\r\n" : "") + "\r\n").utf8)
            let cuts = (0..<5).map { _ in Int.random(in: 0...coded.count, using: &generator) }.sorted()
            #expect(decode(coded, cuts) == Outcome(content: content, used: coded.count, isComplete: true), "\(seed)")
        }
    }

    @Test("says the same of random bytes, wherever they are cut")
    func fuzz() {
        let alphabet = Array("0159aAfF;=\"\\ \t\r\n\r\n\r\nx:\u{1}".utf8)
        for seed in 0..<20_000 as Range<UInt64> {
            var generator = SeededGenerator(seed: seed)
            let bytes = (0..<Int.random(in: 1...24, using: &generator)).map { _ in
                alphabet.randomElement(using: &generator) ?? 0
            }
            let whole = decode(bytes)
            #expect(decode(bytes, Array(1..<bytes.count)) == whole, "\(bytes)")
            #expect(whole.used <= bytes.count && whole.content.count <= bytes.count)
        }
    }
}
