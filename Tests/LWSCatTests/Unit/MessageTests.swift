// Messages in and out of lines.

import LWSWebSocket
import Testing

@testable import LWSCatKit

@Suite("Messages in lines")
struct MessageTests {
    @Test("cuts the input at line ends, in whatever pieces it comes", arguments: [1, 2, 3, 100])
    func lines(size: Int) throws {
        var splitter = LineSplitter()
        var lines: [String] = []
        let bytes = Array("one\n\nthree\r\nfour".utf8)
        for start in stride(from: 0, to: bytes.count, by: size) {
            let piece = Array(bytes[start..<min(start + size, bytes.count)])
            lines += try splitter.add(piece).map { String(decoding: $0, as: UTF8.self) }
        }
        #expect(lines == ["one", "", "three\r"])
        #expect(splitter.end() == Array("four".utf8))
        #expect(splitter.end() == nil)
    }

    @Test("leaves the input whole where that is wanted, and refuses what is too long")
    func whole() throws {
        var whole = LineSplitter(splits: false)
        #expect(try whole.add(Array("a\nb".utf8)) == [])
        #expect(whole.end() == Array("a\nb".utf8))
        var short = LineSplitter(limit: 3)
        #expect(try short.add(Array("abc\n".utf8)) == [Array("abc".utf8)])
        #expect(throws: InputProblem.tooLong(limit: 3)) { try short.add(Array("abcd\n".utf8)) }
    }

    @Test("makes a message of a line, or says why not")
    func forms() throws {
        #expect(try MessageForm.text.message(Array("grüße".utf8)) == .text("grüße"))
        #expect(throws: InputProblem.notText) { try MessageForm.text.message([0xff]) }
        #expect(try MessageForm.binary.message([0xff]) == .binary([0xff]))
        #expect(try MessageForm.base64.message(Array("yv4=\r".utf8)) == .binary([0xca, 0xfe]))
        #expect(throws: InputProblem.notBase64) { try MessageForm.base64.message([63]) }
    }

    private func renderer(
        _ form: MessageForm = .text, json: Bool = false, terminal: Bool = false, coloured: Bool = false
    ) -> MessageRenderer {
        MessageRenderer(
            form: form, formatsJSON: json, isForTerminal: terminal, style: Style(isColoured: coloured))
    }

    @Test("writes messages to a stream as they are")
    func stream() {
        let (text, binary) = (WebSocketMessage.text("a\u{1b}"), WebSocketMessage.binary([0xff, 10]))
        #expect(renderer().bytes(text) == [97, 27, 10])
        #expect(renderer().bytes(binary) == [0xff, 10, 10])
        #expect(renderer(json: true).bytes(binary) == [0xff, 10, 10])
        #expect(renderer(.binary).bytes(text) == [97, 27])
        #expect(renderer(.binary).bytes(binary) == [0xff, 10])
        #expect(renderer(.base64).bytes(text) == [97, 27, 10])
        #expect(renderer(.base64).bytes(binary) == Array("/wo=\n".utf8))
        #expect(renderer(json: true).bytes(.binary(Array("[ ]".utf8))) == Array("[]\n".utf8))
    }

    @Test("writes nothing to a terminal that the terminal would obey")
    func terminal() {
        #expect(
            renderer(terminal: true).text(.text("a\u{1b}[2J\n\tb\u{9b}\u{202e}\u{7f}"))
                == "a^[[2J\n\tb\\u{9b}\\u{202e}^?")
        #expect(renderer(terminal: true).text(.binary([0x1b, 1])) == "2 bytes: 1b 01")
        #expect(renderer(terminal: true).text(.binary([7])) == "1 byte: 07")
        #expect(renderer(terminal: true).text(.binary([])) == "0 bytes")
        #expect(renderer(terminal: true).text(.binary(Array(repeating: 1, count: 257))).hasSuffix(" 01 …"))
        #expect(renderer(.base64, terminal: true).text(.binary([0x1b, 1])) == "GwE=")
        #expect(renderer(json: true, terminal: true).text(.text("[\"\u{9b}\"]")) == "[\n  \"\\u{9b}\"\n]")
    }

    @Test("colours the parts of JSON where there are colours")
    func colours() {
        let text = renderer(json: true, terminal: true, coloured: true).text(.text(#"{"a":"b","c":[1,true]}"#))
        for part in ["\u{1b}[34m\"a\"\u{1b}[0m", "\u{1b}[32m\"b\"", "\u{1b}[33m1", "\u{1b}[35mtrue"] {
            #expect(text.contains(part))
        }
    }

    @Test("knows the commands of --slash")
    func slash() {
        #expect(SlashCommand("hello /ping") == nil)
        #expect(SlashCommand("//a") == .text("/a"))
        #expect(SlashCommand("/ping") == .ping(""))
        #expect(SlashCommand("/ping a b") == .ping("a b"))
        #expect(SlashCommand("/pong a") == .pong("a"))
        #expect(SlashCommand("/close") == .close(code: 1000, reason: nil))
        #expect(SlashCommand("/close 4000") == .close(code: 4000, reason: nil))
        #expect(SlashCommand("/close 4000 a b") == .close(code: 4000, reason: "a b"))
        for text in ["/close x", "/nonsense", "/"] {
            guard case .unknown = SlashCommand(text) else {
                Issue.record("\(text)")
                continue
            }
        }
    }
}
