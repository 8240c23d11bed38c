// lwscat between pipes.

import Foundation
import LWSEchoServer
import LWSWebSocket
import TestSupport
import Testing

@Suite("In a pipe", .serialized)
struct PipeTests {
    private let server: EchoServer

    init() throws { server = try EchoServer() }

    @Test("sends each line as a message and writes each message as a line", arguments: ["", "\n"])
    func lines(end: String) throws {
        let result = try Cat(server.url(), input: .text("one\n\nthr€e" + end)).run()
        #expect(result.exit == .code(0))
        #expect(result.output == "one\n\nthr€e\n")
        #expect(result.errors == "")
    }

    @Test("loses nothing of a long input")
    func many() throws {
        let text = (0..<50_000).map { "line \($0) \(String(repeating: "x", count: $0 % 100))\n" }.joined()
        let result = try Cat(server.url(), input: .text(text)).run(within: .seconds(300))
        #expect(result.exit == .code(0))
        #expect(result.output == text)
    }

    @Test("takes ws:// for granted")
    func scheme() throws {
        let result = try Cat("127.0.0.1:\(server.port)/echo", input: .text("hi\n")).run()
        #expect(result.output == "hi\n")
    }

    @Test("closes with 1000 at the end of the input")
    func close() throws {
        let server = try ScriptedServer()
        let result = try Cat(server.url(), input: .text("hi\n")).run()
        #expect(result.exit == .code(0))
        #expect(try server.messages(1) == ["hi"])
        #expect(try server.close().payload == [3, 232])
    }

    @Test("waits for what still comes as long as --wait says")
    func wait() throws {
        let server = try RawServer { peer in
            _ = try? peer.acceptUpgrade()
            while let frame = try? peer.readFrame() {
                switch frame.opcode {
                case 1:
                    // An answer that takes a while, but less than is waited for.
                    _ = peer.isQuiet(for: .milliseconds(300))
                    peer.sendFrame(opcode: 1, Array("late".utf8))
                case 8: peer.sendFrame(opcode: 8, frame.payload)
                default: break
                }
            }
        }
        let patient = try Cat("--wait", "5", "-1", server.url(), input: .text("hi\n")).run()
        #expect(patient.output == "late\n")
        let hasty = try Cat("--wait", "0", server.url(), input: .text("hi\n")).run()
        #expect(hasty.exit == .code(0))
    }

    @Test("goes on receiving with --keep-open until the server closes")
    func keepOpen() throws {
        let server = try ScriptedServer()
        let result = try Cat("--keep-open", server.url()).started { running in
            try server.send("first")
            _ = eventually { running.output == "first\n" }
            try server.send("second")
            try server.connection().sendFrame(opcode: 8, [3, 232])
            return try running.process.waitForExit()
        }
        #expect(result.exit == .code(0))
        #expect(result.output == "first\nsecond\n")
    }

    @Test("ends after as many messages as asked for", arguments: [(["-1"], 1), (["--count", "3"], 3)])
    func count(options: [String], count: Int) throws {
        var cat = Cat("--base64", server.url("/push/5/2"), input: .open)
        cat.arguments += options
        let result = try cat.run()
        #expect(result.exit == .code(0))
        #expect(result.output == ["AAE=\n", "AQI=\n", "AgM=\n"].prefix(count).joined())
    }

    @Test("sends binary messages with --binary, and writes them byte for byte")
    func binary() throws {
        let result = try Cat("--binary", server.url(), input: .bytes([0, 255, 10, 200, 10])).run()
        #expect(result.exit == .code(0))
        #expect(result.bytes == [0, 255, 200])
        let whole = try Cat("--binary", "--whole-input", server.url(), input: .bytes([0, 255, 10, 200, 10])).run()
        #expect(whole.bytes == [0, 255, 10, 200, 10])
    }

    @Test("sends what Base64 stands for, and writes Base64")
    func base64() throws {
        let server = try RawServer { peer in
            _ = try? peer.acceptUpgrade()
            guard let frame = try? peer.readFrame() else { return }
            peer.sendFrame(opcode: 2, frame.payload + [UInt8(frame.opcode)])
            peer.waitForEnd()
        }
        let result = try Cat("--base64", "-1", "--close-timeout", "0.1", server.url(), input: .text("yv4=\n")).run()
        #expect(result.output == Data([0xca, 0xfe, 2]).base64EncodedString() + "\n")
    }

    @Test("lays JSON out with --json, and leaves the rest alone")
    func json() throws {
        let result = try Cat("--json", server.url(), input: .text("{\"a\":[1e3]}\nno json\n")).run()
        #expect(result.output == "{\n  \"a\": [\n    1e3\n  ]\n}\nno json\n")
    }

    @Test("sends the messages of -x, and nothing of the input")
    func execute() throws {
        let result = try Cat("-x", "one", "-x", "t\nwo", server.url(), input: .open).run()
        #expect(result.exit == .code(0))
        #expect(result.output == "one\nt\nwo\n")
    }

    @Test("says which line is not text, after those before it are sent")
    func notText() throws {
        let result = try Cat(server.url(), input: .bytes(Array("good\n".utf8) + [0xff, 10, 65, 10])).run()
        #expect(result.exit == .code(1))
        #expect(result.output == "good\n")
        #expect(
            result.errors
                == "lwscat: line 2 of the input cannot be sent: it is not UTF-8; with --binary it can be sent as it is\n"
        )
        let base64 = try Cat("--base64", server.url(), input: .text("?\n")).run()
        #expect(base64.exit == .code(1))
        #expect(base64.errors == "lwscat: line 1 of the input cannot be sent: it is not Base64\n")
    }

    @Test("closes and ends with 0 where nobody reads its output any more")
    func outputGone() throws {
        let cat = try Shell.command(["--keep-open", server.url("/push/100000/100")])
        let shell = try PeerProcess(
            "/bin/bash", ["-c", "\(cat) < /dev/null | head -c 1 > /dev/null; echo ended ${PIPESTATUS[0]}"])
        #expect(try shell.waitForLine("ended ") == "0")
    }

    @Test("tells what happens with -v on standard error, and messages alone on standard output")
    func verbose() throws {
        let result = try Cat("-v", server.url(), input: .text("hi\n")).run()
        #expect(result.output == "hi\n")
        for text in ["* HTTP 101", "* connected\n", "* The connection to 127.0.0.1 was closed by this side (1000)\n"]
        {
            #expect(result.errors.contains(text))
        }
        #expect(!result.errors.contains("\u{1b}"))
        let one = try Cat("-v", "-1", server.url(), input: .text("hi\nthere\n")).run()
        #expect(one.output == "hi\n")
        #expect(one.errors.hasSuffix("closed by this side (1000)\n"))
    }

    @Test("shows the library's log with --log, and what messages say where that is asked for")
    func log() throws {
        let result = try Cat("--log", "debug", "--no-compression", server.url(), input: .text("secret\n")).run()
        #expect(result.output == "secret\n")
        for text in [
            "* debug: connecting ws_connection=1 ws_server=ws://127.0.0.1:", "* debug: open",
            "* debug: frame sent ws_bytes=6 ws_connection=1 ws_final=true ws_frame=text\n", "* debug: closed",
        ] {
            #expect(result.errors.contains(text), "\(text)")
        }
        #expect(!result.errors.contains("secret"))
        let told = try Cat("--log", "trace", "--log-payload", "3", server.url(), input: .text("secret\n")).run()
        #expect(told.errors.contains(#"ws_payload="sec"…"#))
        for wrong in [["--log", "loud"], ["--log-payload", "3"], ["--log", "trace", "--log-payload", "none"]] {
            var cat = Cat(server.url())
            cat.arguments += wrong
            #expect(try cat.run().exit == .code(1), "\(wrong)")
        }
    }
}
