// The body of an answer that refuses the handshake.

import HTTPTypes
import LWSServiceLoop
import TestSupport
import Testing

@testable import LWSWebSocket

@Suite("The body of a refused handshake", .serialized)
struct RefusalBodyTests {
    /// What a client throws that is answered with this, in one piece, or in several that the client has time to read
    /// one by one. What is `late` comes when the client has thrown, or has waited for ages.
    private func error(
        _ answer: [[UInt8]], late: [UInt8] = [], endsTCP: Bool = false
    ) throws -> WebSocketError? {
        let hasThrown = MonotonicSemaphore()
        let server = try RawServer { peer in
            _ = try? peer.readRequestHead()
            for (index, part) in answer.enumerated() {
                if index > 0 { _ = MonotonicSemaphore().wait(until: Deadline(after: .milliseconds(50))) }
                peer.send(part)
            }
            if !late.isEmpty {
                _ = hasThrown.wait(until: Deadline(after: Timing.ages))
                peer.send(late)
            }
            if !endsTCP { peer.waitForEnd() }
        }
        defer { server.stop() }
        let error = failure { try WebSocketClient(server.url()) }
        hasThrown.signal()
        #expect(error?.code == .invalidHandshake)
        return error
    }

    private func head(_ lines: [String], status: Int = 403) -> [UInt8] {
        Array((["HTTP/1.1 \(status) No"] + lines).map { $0 + "\r\n" }.joined().utf8) + Array("\r\n".utf8)
    }

    private func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

    @Test("is on the error where it came with the head", arguments: [302, 400, 401, 403, 404, 500, 503])
    func together(_ status: Int) throws {
        let body = bytes(#"{"error":"the token has expired"}"#)
        let lengths = [
            ["Content-Length: \(body.count)"], [], ["Content-Length: 999"], ["Content-Length: \(body.count - 1)"],
        ]
        for (index, lines) in lengths.enumerated() {
            let error = try error([head(lines, status: status) + body])
            #expect(error?.httpResponse?.status.code == status)
            #expect(error?.httpResponseBody == (index == 3 ? body.dropLast() : body))
            #expect(error?.description.contains("expired") == false)
        }
    }

    @Test("is there although TCP ends right behind it")
    func withEnd() throws {
        #expect(try error([head([]) + bytes("gone")], endsTCP: true)?.httpResponseBody == bytes("gone"))
    }

    @Test("is what had come by then where the head comes in pieces")
    func pieces() throws {
        let all = head(["X-Why: testing", "Content-Length: 4"]) + bytes("body")
        for cut in [5, 20, all.count - 6] {
            let error = try error([Array(all[..<cut]), Array(all[cut...])])
            #expect(error?.httpResponseBody == bytes("body"), "\(cut)")
        }
        let halfway = try error([Array(all.dropLast(2))], late: bytes("dy"))
        #expect(halfway?.httpResponseBody == bytes("bo"))
    }

    @Test("that comes later than the head is not waited for")
    func later() throws {
        let start = ContinuousClock.now
        let error = try error([head(["Content-Length: 4"])], late: bytes("body"))
        #expect(error?.httpResponse?.status.code == 403)
        #expect(error?.httpResponseBody == nil)
        #expect(ContinuousClock.now - start < Timing.atOnce)
    }

    @Test("is cut after 4,096 bytes")
    func large() throws {
        let body = (0..<10_000).map { UInt8(truncatingIfNeeded: $0 / 7) }
        for lines in [["Content-Length: 10000"], []] {
            #expect(try error([head(lines) + body])?.httpResponseBody == Array(body.prefix(4096)))
        }
        let exact = Array(body.prefix(4096))
        #expect(try error([head(["Content-Length: 4096"]) + exact])?.httpResponseBody == exact)
    }

    @Test("is given without its chunked coding")
    func chunked() throws {
        let large = [UInt8](repeating: 65, count: 5000)
        for (coded, expected) in [
            (bytes("5\r\nhello\r\n1\r\n \r\n0005\r\nworld\r\n0\r\n\r\n"), bytes("hello world")),
            (bytes("A\r\n0123456789\r\na\r\n0123456789\r\n0\r\n\r\n"), bytes("01234567890123456789")),
            (bytes("1388\r\n") + large + bytes("\r\n0\r\n\r\n"), Array(large.prefix(4096))),
            (bytes("ff\r\ncut"), bytes("cut")),
            (bytes(String(repeating: "1\r\nx\r\n", count: 1000) + "0\r\n\r\n"), [UInt8](repeating: 120, count: 1000)),
        ] {
            #expect(try error([head(["Transfer-Encoding: chunked"]) + coded])?.httpResponseBody == expected)
        }
        for coded in ["0\r\n\r\n", ""] {
            #expect(try error([head(["Transfer-Encoding: chunked"]) + bytes(coded)])?.httpResponseBody == nil)
        }
    }

    @Test(
        "in a wrong coding, or cut, is what could be read of it, and harms nobody",
        arguments: [
            ("nonsense", nil), ("5\r\nhelloX", "hello"), ("80000000\r\nxxxx", "xxxx"),
            ("FFFFFFFFFFFFFFFF\r\nxxxx", nil), ("FFFFFFF\r\nxxxx", "xxxx"), ("ffff\r\nxxxx", "xxxx"),
            ("3\r\nabc\r\nfffffffe\r\nxxxx", "abcxxxx"), ("-5\r\nhello\r\n", nil),
            ("5;name=value\r\nhello\r\n", "hello"), ("0000000000000000000000003\r\nabc", "abc"),
        ] as [(String, String?)])
    func wronglyChunked(_ coded: String, _ expected: String?) throws {
        let error = try error([head(["Transfer-Encoding: chunked"]) + bytes(coded)])
        #expect(error?.httpResponseBody == expected.map(bytes))
    }

    @Test("is none where there is none")
    func none() throws {
        #expect(try error([head(["Content-Length: 0"])])?.httpResponseBody == nil)
        #expect(try error([head([])])?.httpResponseBody == nil)
        // What follows such an answer is not its body.
        #expect(try error([head(["Content-Length: 0"]) + bytes("HTTP/1.1")])?.httpResponseBody == nil)
        for status in [204, 304] {
            #expect(try error([head([], status: status) + bytes("not mine")])?.httpResponseBody == nil)
        }
    }

    @Test("never shows what another connection has left in lws's buffer")
    func stale() throws {
        let secret = String(repeating: "secret", count: 600)
        for _ in 0..<3 {
            let first = try error([head(["Content-Length: \(secret.utf8.count)"]) + bytes(secret)])
            #expect(first?.httpResponseBody == bytes(secret))
            #expect(try error([head([])])?.httpResponseBody == nil)
            #expect(try error([head([]) + bytes("!")])?.httpResponseBody == bytes("!"))
            #expect(try error([head(["Content-Length: 3000"]) + bytes("?")])?.httpResponseBody == bytes("?"))
            #expect(try error([head(["Transfer-Encoding: chunked"]) + bytes("ff\r\n")])?.httpResponseBody == nil)
        }
    }

    @Test("belongs to refusals alone: an answer with 101 has none")
    func switchingProtocols() throws {
        let server = try RawServer { peer in
            _ = try? peer.acceptUpgrade(acceptOverride: "AAAAAAAAAAAAAAAAAAAAAAAAAAA=")
            peer.waitForEnd()
        }
        defer { server.stop() }
        let error = failure { try WebSocketClient(server.url()) }
        #expect(error?.code == .invalidHandshake)
        #expect(error?.httpResponseBody == nil)
    }

    @Test("is no part of errors before an answer")
    func noAnswer() throws {
        let port = try FreePort.find()
        #expect(failure { try WebSocketClient("ws://127.0.0.1:\(port)/") }?.httpResponseBody == nil)
    }
}
