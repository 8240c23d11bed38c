// A token endpoint's answer in every framing that HTTP/1.1 has.

import LWSServiceLoop
import TestSupport
import Testing

@testable import LWSWebSocket

@Suite("The framing of a token endpoint's answer", .serialized)
struct TokenFramingTests {
    private static let token = #"{"access_token":"t-1","token_type":"bearer","expires_in":3600}"#

    /// Whether a client that got this answer from the endpoint went on to the server with the token.
    private func error(_ answer: String, isSecure: Bool, bytewise: Bool, endsTCP: Bool) throws -> WebSocketError? {
        let identity = isSecure ? try TLSIdentity(CertificateAuthority.shared.server(.good)) : nil
        let endpoint = try RawServer(tls: identity) { peer in
            guard (try? peer.readRequestHead()) != nil else { return }
            if bytewise {
                for byte in answer.utf8 where !peer.send([byte]) { return }
            } else {
                peer.send(answer)
            }
            if endsTCP { peer.endOutput() }
            peer.waitForEnd()
        }
        defer { endpoint.stop() }
        let tokens = Locked<[String]>([])
        let server = try RawServer { peer in
            let head = (try? peer.acceptUpgrade()) ?? ""
            tokens.withLock { $0.append(RawConnection.field("Authorization", in: head) ?? "") }
            // The close frame, which is answered by the end of TCP.
            _ = try? peer.readFrame()
        }
        defer { server.stop() }
        let scheme = isSecure ? "https" : "http"
        var grant = OAuth2Grant.clientCredentials(
            tokenUrl: "\(scheme)://\(isSecure ? "localhost" : "127.0.0.1"):\(endpoint.port)/t", clientId: "c",
            clientSecret: "s")
        if isSecure { grant.clientConfig = try GrantKind.trusting() }
        var configuration = ClientConfiguration()
        configuration.handShakeTimeout = Timing.ages
        configuration.auth = .oauth2(grant)
        let failed = failure { try WebSocketClient(server.url(), configuration: configuration).close() }
        if failed == nil { #expect(tokens.withLock { $0 } == ["Bearer t-1"]) }
        return failed
    }

    private static func answer(_ fields: [String], _ body: String, version: String = "1.1") -> String {
        "HTTP/\(version) 200 OK\r\n" + fields.map { $0 + "\r\n" }.joined() + "\r\n" + body
    }

    private static let size = String(token.utf8.count, radix: 16)

    private static let wholeAnswers: [(what: String, answer: String)] = [
        ("a length", answer(["Content-Length: \(token.utf8.count)"], token)),
        ("the same length twice", answer(["Content-Length: \(token.utf8.count), \(token.utf8.count)"], token)),
        ("a chunk", answer(["Transfer-Encoding: chunked"], "\(size)\r\n\(token)\r\n0\r\n\r\n")),
        ("capitals", answer(["transfer-encoding: Chunked"], "\(size.uppercased())\r\n\(token)\r\n0\r\n\r\n")),
        ("a blank behind the coding", answer(["Transfer-Encoding: chunked "], "\(size)\r\n\(token)\r\n0\r\n\r\n")),
        ("eight digits", answer(["Transfer-Encoding: chunked"], "000000\(size)\r\n\(token)\r\n00000000\r\n\r\n")),
        ("an extension", answer(["Transfer-Encoding: chunked"], "\(size);name=value\r\n\(token)\r\n0\r\n\r\n")),
        (
            "a quoted extension",
            answer(["Transfer-Encoding: chunked"], "\(size);s=\"a;b\"\r\n\(token)\r\n0;x\r\n\r\n")
        ),
        ("trailer fields", answer(["Transfer-Encoding: chunked"], "\(size)\r\n\(token)\r\n0\r\nX-Sum: 1\r\n\r\n")),
        ("blanks behind the size", answer(["Transfer-Encoding: chunked"], "\(size)  \r\n\(token)\r\n0 \r\n\r\n")),
        (
            "chunks of a byte",
            answer(["Transfer-Encoding: chunked"], token.map { "1\r\n\($0)\r\n" }.joined() + "0\r\n\r\n")
        ),
        (
            "interim answers in front",
            "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: <x>\r\n\r\n"
                + answer(["Content-Length: \(token.utf8.count)"], token)
        ),
        (
            "two hundred fields",
            answer((0..<200).map { "Set-Cookie: c\($0)=1" } + ["Content-Length: \(token.utf8.count)"], token)
        ),
    ]

    @Test(
        "may be any that HTTP has, also over TLS, whether TCP ends or not", arguments: wholeAnswers.indices,
        [false, true])
    func good(_ index: Int, _ isSecure: Bool) throws {
        let (what, answer) = Self.wholeAnswers[index]
        for (bytewise, endsTCP) in [(false, true), (false, false), (true, false)] {
            let error = try error(answer, isSecure: isSecure, bytewise: bytewise && !isSecure, endsTCP: endsTCP)
            #expect(error == nil, "\(what)")
        }
    }

    @Test("may be the end of TCP", arguments: [false, true])
    func end(_ isSecure: Bool) throws {
        for version in ["1.0", "1.1"] {
            let answer = Self.answer([], Self.token, version: version)
            #expect(try error(answer, isSecure: isSecure, bytewise: false, endsTCP: true) == nil)
        }
    }

    private static let wrongAnswers: [(what: String, answer: String, words: String)] = [
        ("cut", answer(["Transfer-Encoding: chunked"], "\(size)\r\n\(token)\r\n"), "before its answer was complete"),
        (
            "cut in the trailer", answer(["Transfer-Encoding: chunked"], "\(size)\r\n\(token)\r\n0\r\n"),
            "was complete"
        ),
        ("cut by a length", answer(["Content-Length: 1000"], token), "before its answer was complete"),
        ("no size", answer(["Transfer-Encoding: chunked"], "\(token)\r\n0\r\n\r\n"), "cannot be understood"),
        (
            "a wrong size", answer(["Transfer-Encoding: chunked"], "5\r\n\(token)\r\n0\r\n\r\n"),
            "cannot be understood"
        ),
        ("another coding", answer(["Transfer-Encoding: gzip, chunked"], "0\r\n\r\n"), "cannot be understood"),
        ("two lengths", answer(["Content-Length: 5", "Content-Length: 6"], token), "cannot be understood"),
        ("a length that is none", answer(["Content-Length: 5x"], token), "cannot be understood"),
    ]

    @Test("that is wrong, or cut, is an auth that says so", arguments: wrongAnswers.indices, [false, true])
    func bad(_ index: Int, _ isSecure: Bool) throws {
        let (what, answer, words) = Self.wrongAnswers[index]
        let error = try error(answer, isSecure: isSecure, bytewise: false, endsTCP: true)
        #expect(error?.code == .auth)
        #expect(error?.description.contains(words) == true, "\(what): \(error as Any)")
    }
}
