// Text that is UTF-8, and text that is not (RFC 6455, section 8.1).

import LWSEchoServer
import LWSPayload
import TestSupport
import Testing

@Suite("Text in parts")
struct TextCheckTests {
    private func isText(_ parts: [[UInt8]]) -> Bool {
        var check = TextCheck()
        for (index, part) in parts.enumerated() where !check.accepts(part, isLast: index == parts.count - 1) {
            return false
        }
        return true
    }

    @Test("is text wherever it is cut")
    func cuts() {
        let text = Array("aä漢🙂z".utf8)
        #expect(isText([text]))
        #expect(isText(text.map { [$0] }))
        for first in 0...text.count {
            for second in first...text.count {
                #expect(isText([Array(text[..<first]), Array(text[first..<second]), Array(text[second...])]))
            }
        }
    }

    @Test("is none with a byte that is wrong, or without its end")
    func wrong() {
        for wrong in [[0xff], [0xc0, 0x80], [0xed, 0xa0, 0x80], [0xf4, 0x90, 0x80, 0x80], [0x80]] as [[UInt8]] {
            #expect(!isText([Array("a".utf8) + wrong + Array("b".utf8)]))
            #expect(!isText(wrong.map { [$0] } + [Array("bcde".utf8)]))
        }
        #expect(!isText([[0x61], [0xf0, 0x9f], [0x99]]))
        #expect(!isText([[0xe6, 0xbc], []]))
    }

    @Test(
        "is none as soon as nothing can follow that would make a character of it",
        arguments: [[0xf4, 0x90], [0xed, 0xa0], [0xe0, 0x9f], [0xf0, 0x8f], [0xc1], [0xf5], [0xf0, 0x9f, 0x61]]
            as [[UInt8]])
    func hopeless(_ bytes: [UInt8]) {
        var (whole, byByte) = (TextCheck(), TextCheck())
        let isWhole = whole.accepts(Array("text".utf8) + bytes, isLast: false)
        #expect(!isWhole)
        let areFine = bytes.map { byByte.accepts([$0], isLast: false) }
        #expect(areFine.last == false && areFine.dropLast().allSatisfy { $0 })
    }

    @Test("is judged anew after its end")
    func anew() {
        var check = TextCheck()
        let (isCut, isNext) = (check.accepts([0xe6], isLast: true), check.accepts([0x61], isLast: true))
        #expect(!isCut && isNext)
    }
}

@Suite("The echo server and text", .serialized)
struct TextTests {
    private let client: RawClient
    private let server: EchoServer

    init() throws {
        server = try EchoServer()
        client = try server.rawClient()
    }

    @Test("that is not UTF-8: it closes with 1007, and ends TCP", arguments: [false, true])
    func wrong(_ isFragmented: Bool) throws {
        let wrong = [UInt8]("grüße".utf8) + [0xf4, 0x90, 0x80, 0x80] + [UInt8]("edited".utf8)
        let end = try Promptness(without: lwsCloseWait) {
            let client = try server.rawClient()
            return try Timing.of {
                if isFragmented {
                    client.send(RawFrame(fin: false, opcode: 1, payload: Array(wrong.prefix(8))))
                    _ = try client.readFrame()
                    client.send(RawFrame(opcode: 0, payload: Array(wrong.dropFirst(8))))
                } else {
                    client.send(RawFrame(opcode: 1, payload: wrong))
                }
                #expect(try client.readFrame().closeCode == 1007)
                client.send(.close(1007, ""))
                #expect(client.connection.readUntilEnd().isEmpty)
            }
        }
        #expect(end.isPrompt, "\(end)")
    }

    @Test("with other bytes in the control frames between: it echoes on")
    func controlFrames() throws {
        client.connection.send(RawFrame(fin: false, opcode: 1, payload: [0xc3]).clientBytes())
        #expect(try client.readFrame() == RawFrame(fin: false, opcode: 1, payload: [0xc3]))
        client.connection.send(RawFrame(opcode: 10, payload: [0xff, 0xc3]).clientBytes())
        client.connection.send(RawFrame(opcode: 9, payload: [0xff]).clientBytes())
        #expect(try client.readFrame() == RawFrame(opcode: 10, payload: [0xff]))
        client.connection.send(RawFrame(opcode: 0, payload: [0xa4]).clientBytes())
        #expect(try client.readFrame() == RawFrame(opcode: 0, payload: [0xa4]))
        client.send(.binary([0xff, 0xfe]), .text("after it"))
        #expect(try client.readFrame() == .binary([0xff, 0xfe]))
        #expect(try client.readFrame() == .text("after it"))
    }

    @Test(
        "A close of one byte or with a code above 4999 is answered with 1002, one whose reason is not UTF-8 with 1007"
    )
    func faultyClose() throws {
        let cases: [([UInt8], Int)] = [
            ([3, 232, 0xc3, 0x28], 1007), ([3], 1002), ([0x13, 0x88], 1002), ([0xff, 0xff, 65], 1002),
            ([0x13, 0x87], 4999),
        ]
        for (payload, code) in cases {
            let end = try Promptness(without: lwsCloseWait) {
                let other = try server.rawClient()
                return try Timing.of {
                    other.connection.send(RawFrame(opcode: 8, payload: payload).clientBytes())
                    let answer = try other.readFrame().closeCode
                    #expect(answer == code)
                    #expect(other.connection.readUntilEnd().isEmpty)
                }
            }
            #expect(end.isPrompt, "\(payload): \(end)")
        }
    }
}
