// Pieces of frames to messages.

import Testing

@testable import LWSWebSocket

@Suite("Assembling messages")
struct MessageAssemblerTests {
    private func add(
        _ assembler: inout MessageAssembler, _ bytes: [UInt8], _ kind: MessageKind = .text, remaining: Int = 0,
        end: Bool = true
    ) -> MessageAssembler.Outcome {
        bytes.withUnsafeBytes {
            assembler.add(.init(bytes: $0, kind: kind, remainingInFrame: remaining, endsMessage: end))
        }
    }

    @Test("takes a message in one piece")
    func one() {
        var assembler = MessageAssembler(maxFrameSize: 100, maxMessageSize: nil)
        #expect(add(&assembler, Array("hi".utf8)) == .message(.text("hi")))
        #expect(add(&assembler, [1, 2], .binary) == .message(.binary([1, 2])))
        #expect(add(&assembler, []) == .message(.text("")))
        #expect(add(&assembler, [], .binary) == .message(.binary([])))
    }

    @Test("joins frames, empty ones too, and a code point that straddles two of them")
    func fragments() {
        var assembler = MessageAssembler(maxFrameSize: 100, maxMessageSize: nil)
        let euro = Array("€".utf8)
        #expect(add(&assembler, [], end: false) == .incomplete)
        #expect(add(&assembler, [euro[0]], end: false) == .incomplete)
        #expect(add(&assembler, [], end: false) == .incomplete)
        #expect(add(&assembler, [euro[1], euro[2]], end: false) == .incomplete)
        #expect(add(&assembler, []) == .message(.text("€")))
        #expect(add(&assembler, Array("next".utf8)) == .message(.text("next")))
    }

    @Test("keeps the first frame's kind")
    func kind() {
        var assembler = MessageAssembler(maxFrameSize: 100, maxMessageSize: nil)
        #expect(add(&assembler, [0xff], .binary, end: false) == .incomplete)
        #expect(add(&assembler, [0xfe], .text) == .message(.binary([0xff, 0xfe])))
    }

    @Test("refuses a frame over the limit at its first piece, and takes one at the limit")
    func frameLimit() {
        var assembler = MessageAssembler(maxFrameSize: 10, maxMessageSize: nil)
        #expect(add(&assembler, [1, 2, 3, 4], .binary, remaining: 6, end: false) == .incomplete)
        #expect(
            add(&assembler, [5, 6, 7, 8, 9, 10], .binary) == .message(.binary([1, 2, 3, 4, 5, 6, 7, 8, 9, 10])))
        #expect(
            add(&assembler, [1, 2, 3, 4], .binary, remaining: 7, end: false)
                == .violation(.frameTooLarge(limit: 10)))
    }

    @Test("refuses a message over the limit before it is gathered")
    func messageLimit() {
        var assembler = MessageAssembler(maxFrameSize: 10, maxMessageSize: 12)
        #expect(add(&assembler, [UInt8](repeating: 0, count: 10), .binary, end: false) == .incomplete)
        #expect(
            add(&assembler, [1], .binary, remaining: 2, end: false) == .violation(.messageTooLarge(limit: 12)))
        var zero = MessageAssembler(maxFrameSize: 10, maxMessageSize: 0)
        #expect(add(&zero, []) == .message(.text("")))
        #expect(add(&zero, [65]) == .violation(.messageTooLarge(limit: 0)))
    }

    @Test(
        "refuses a text that is not UTF-8",
        arguments: [[0xff], [0xc3], [0xed, 0xa0, 0x80], [0xc0, 0xaf]] as [[UInt8]])
    func utf8(_ bytes: [UInt8]) {
        var assembler = MessageAssembler(maxFrameSize: 10, maxMessageSize: nil)
        #expect(add(&assembler, bytes) == .violation(.invalidUTF8))
        var fragmented = MessageAssembler(maxFrameSize: 10, maxMessageSize: nil)
        #expect(add(&fragmented, [65], end: false) == .incomplete)
        #expect(add(&fragmented, bytes) == .violation(.invalidUTF8))
    }

    @Test("is given up as soon as its text goes wrong, wherever characters are cut")
    func early() {
        var cut = MessageAssembler(maxFrameSize: 10, maxMessageSize: nil)
        #expect(add(&cut, [65, 0xf0, 0x9f], end: false) == .incomplete)
        #expect(add(&cut, [0x99], end: false) == .incomplete)
        #expect(add(&cut, [0x82, 66], end: false) == .incomplete)
        #expect(add(&cut, []) == .message(.text("A🙂B")))
        #expect(add(&cut, [0xc3], end: false) == .incomplete)
        #expect(add(&cut, [0x28], end: false) == .violation(.invalidUTF8))
        var inside = MessageAssembler(maxFrameSize: 10, maxMessageSize: nil)
        #expect(add(&inside, [66, 0xf0, 0x9f], remaining: 5, end: false) == .incomplete)
        #expect(add(&inside, [0x99, 0x82, 0xff], remaining: 2, end: false) == .violation(.invalidUTF8))
        var binary = MessageAssembler(maxFrameSize: 10, maxMessageSize: nil)
        #expect(add(&binary, [0xff], .binary, end: false) == .incomplete)
        #expect(add(&binary, [0xff], .binary) == .message(.binary([0xff, 0xff])))
    }

    @Test("is linear in the message's length")
    func linear() {
        var assembler = MessageAssembler(maxFrameSize: 1 << 30, maxMessageSize: nil)
        let piece = [UInt8](repeating: 7, count: 4096)
        let pieces = 4096
        for index in 1..<pieces {
            #expect(
                add(&assembler, piece, .binary, remaining: (pieces - index) * 4096, end: false) == .incomplete)
        }
        guard case .message(.binary(let bytes)) = add(&assembler, piece, .binary) else {
            Issue.record("no message")
            return
        }
        #expect(bytes.count == pieces * 4096)
        #expect(bytes.allSatisfy { $0 == 7 })
    }
}
