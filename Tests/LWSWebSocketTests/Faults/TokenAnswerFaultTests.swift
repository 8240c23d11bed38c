// Answers that no authorization server gives, but somebody on the way to one may.

import LWSServiceLoop
import TestSupport
import Testing

@testable import LWSWebSocket

@Suite("An answer that is no token", .serialized)
struct TokenAnswerFaultTests {
    /// What a client throws whose token endpoint answers this.
    private func error(_ answer: [UInt8], bytewise: Bool = false, endsTCP: Bool = true) throws -> WebSocketError? {
        let server = try RawServer { peer in
            guard (try? peer.readRequestHead()) != nil else { return }
            if bytewise {
                for byte in answer where !peer.send([byte]) { return }
            } else {
                peer.send(answer)
            }
            if endsTCP { peer.endOutput() }
            peer.waitForEnd()
        }
        defer { server.stop() }
        var configuration = ClientConfiguration()
        configuration.handShakeTimeout = .seconds(20)
        configuration.auth = .oauth2(
            .clientCredentials(tokenUrl: "http://127.0.0.1:\(server.port)/t", clientId: "c", clientSecret: "hunter2"))
        // Nobody listens: a token would end in `connection`.
        return failure { try WebSocketClient("ws://127.0.0.1:\(try FreePort.find())/", configuration: configuration) }
    }

    private static func answer(_ body: String, _ fields: String...) -> [UInt8] {
        let lines = fields.isEmpty ? ["Content-Length: \(body.utf8.count)"] : fields
        return Array("HTTP/1.1 200 OK\r\n\(lines.joined(separator: "\r\n"))\r\n\r\n\(body)".utf8)
    }

    private static let token = #"{"access_token":"t","token_type":"bearer"}"#
    private static let nested = String(repeating: "[", count: 20_000)
    private static let digits = String(repeating: "f", count: 40)

    private static let answers: [(what: String, bytes: [UInt8])] = [
        ("nothing", []), ("a line", Array("garbage\r\n\r\n".utf8)), ("NULs", [UInt8](repeating: 0, count: 3000)),
        ("TLS", [21, 3, 3, 0, 2, 2, 40]), ("another protocol", Array("SSH-2.0-OpenSSH_9.2\r\n".utf8)),
        ("a status that is no number", Array("HTTP/1.1 abc OK\r\n\r\n".utf8)),
        ("101", Array("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n".utf8)),
        ("100 alone", Array("HTTP/1.1 100 Continue\r\n\r\n".utf8)),
        ("204", Array("HTTP/1.1 204 No Content\r\n\r\n".utf8)),
        ("a long head", Array("HTTP/1.1 200 OK\r\nX: \(String(repeating: "x", count: 100_000))\r\n\r\n".utf8)),
        ("an endless line", [UInt8](repeating: 65, count: 100_000)),
        ("an empty body", answer("")), ("no body", answer("", "Content-Length: 10")),
        ("a short body", answer(token, "Content-Length: 1000")),
        ("a cut body", answer(token, "Content-Length: 10")),
        ("a negative length", answer("", "Content-Length: -1")),
        ("a length over 2^64", answer("", "Content-Length: 99999999999999999999999")),
        (
            "a chunk of a size that overflows",
            answer("\(digits)\r\n\(token)\r\n0\r\n\r\n", "Transfer-Encoding: chunked")
        ),
        ("a chunk of 2 GB", answer("80000000\r\n\(token)", "Transfer-Encoding: chunked")),
        ("a chunk of -1", answer("ffffffff\r\n\(token)", "Transfer-Encoding: chunked")),
        ("a chunk that is none", answer("xyz\r\n\(token)", "Transfer-Encoding: chunked")),
        ("a cut chunk", answer("ff\r\n\(token)", "Transfer-Encoding: chunked")),
        ("an unknown coding", answer("\u{1}\u{2}", "Transfer-Encoding: gzip")),
        ("deep arrays", answer(nested)), ("deep objects", answer(String(repeating: #"{"a":"#, count: 9_000))),
        ("a text", answer(#""access_token""#)), ("null", answer("null")), ("an array", answer("[\(token)]")),
        ("no UTF-8", answer("", "Content-Length: 9") + [123, 34, 255, 254, 34, 58, 34, 192, 125]),
        ("half a JSON", answer(String(token.dropLast(5)))),
        ("a token that is a number", answer(#"{"access_token":1,"token_type":"bearer"}"#)),
        ("an empty token", answer(#"{"access_token":"","token_type":"bearer"}"#)),
        ("a token with a space", answer(#"{"access_token":"a b","token_type":"bearer"}"#)),
        ("a token with a NUL", answer(#"{"access_token":"a\u0000b","token_type":"bearer"}"#)),
        ("a token in another script", answer(#"{"access_token":"жетон","token_type":"bearer"}"#)),
        ("a type that is a number", answer(#"{"access_token":"t","token_type":1}"#)),
        ("an error with a token", answer(#"{"access_token":"t","token_type":"bearer","error":"invalid_grant"}"#)),
    ]

    @Test("is an auth, however it comes", arguments: answers.indices)
    func garbage(_ index: Int) throws {
        let (what, bytes) = Self.answers[index]
        for bytewise in [false, true] where !bytewise || bytes.count < 1000 {
            let error = try #require(try error(bytes, bytewise: bytewise), "\(what)")
            #expect(error.code == .auth, "\(what): \(error)")
            #expect(
                error.description.hasPrefix("There are no credentials for 127.0.0.1: the token endpoint 127.0.0.1 "))
        }
    }

    @Test("is told from one")
    func check() throws {
        for answer in [
            Self.answer(Self.token), Self.answer(Self.token, "X-Y: y"),
            Self.answer(Self.token, "Connection: close"), Self.answer(Self.token, "Content-Type: application/json"),
            Self.answer(Self.token, "X: y", "Content-Length: 42"),
            Self.answer("2a\r\n\(Self.token)\r\n0\r\n\r\n", "Transfer-Encoding: chunked"),
            Array("HTTP/1.0 200 OK\r\n\r\n\(Self.token)".utf8),
        ] {
            for bytewise in [false, true] {
                let error = try error(answer, bytewise: bytewise)
                #expect(
                    error?.code == .connection,
                    "\(String(decoding: answer, as: UTF8.self)): \(error as Any) \(error?.libraryDetail ?? "")")
            }
        }
    }

    @Test("does not fill an error with control characters, or with a page of text")
    func words() throws {
        let long = String(repeating: "long ", count: 1000)
        let body = #"{"error":"a\u001b[31m\r\nb","error_description":"\#(long)"}"#
        let head = "HTTP/1.1 400 No\r\nContent-Length: \(body.utf8.count)\r\n\r\n"
        let error = try #require(try error(Array((head + body).utf8)))
        #expect(error.description.contains("refused (400): a [31m  b: long long"))
        #expect(error.description.count < 700)
        #expect(error.description.unicodeScalars.allSatisfy { $0.value >= 0x20 })
    }
}
