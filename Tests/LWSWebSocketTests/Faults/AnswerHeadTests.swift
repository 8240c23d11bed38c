// The head of the answer to a handshake: interim answers in front of it, however it is cut, however long.

import HTTPTypes
import LWSServiceLoop
import TestSupport
import Testing

@testable import LWSWebSocket

@Suite("The head of a server's answer", .serialized)
struct AnswerHeadTests {
    /// What a server sends: `nil` is where the client gets the time to read what came before.
    typealias Script = @Sendable (_ request: String) -> [[UInt8]?]

    static func server(_ isSecure: Bool, reset: Bool = false, _ script: @escaping Script) throws -> RawServer {
        let identity = isSecure ? try TLSIdentity(CertificateAuthority.shared.server(.good)) : nil
        return try RawServer(tls: identity) { peer in
            guard let request = try? peer.readRequestHead() else { return }
            for part in script(request) {
                if let part {
                    peer.send(part)
                } else {
                    _ = MonotonicSemaphore().wait(until: Deadline(after: .milliseconds(20)))
                }
            }
            if reset { peer.reset() }
            // Echoes, as far as these tests need it.
            while let frame = try? peer.readFrame(), frame.payload != Array("end".utf8) {
                peer.sendFrame(opcode: frame.opcode, frame.payload)
            }
        }
    }

    static func connect(
        _ server: RawServer, _ isSecure: Bool, _ change: (inout ClientConfiguration) -> Void = { _ in }
    ) throws(WebSocketError) -> WebSocketClient {
        var configuration = ClientConfiguration()
        if isSecure { try? SecureFaults.trust(&configuration) }
        (configuration.readTimeout, configuration.handShakeTimeout) = (Timing.ages, Timing.ages)
        change(&configuration)
        return try WebSocketClient(isSecure ? server.secureURL() : server.url(), configuration: configuration)
    }

    static func upgrade(_ request: String, _ fields: [String] = [], end: String = "\r\n") -> [UInt8] {
        let key = RawConnection.field("Sec-WebSocket-Key", in: request) ?? ""
        let lines =
            ["HTTP/1.1 101 Switching Protocols"] + fields
            + [
                "Upgrade: websocket", "Connection: Upgrade",
                "Sec-WebSocket-Accept: \(RawConnection.accept(for: key))", "",
            ]
        return Array(lines.map { $0 + end }.joined().utf8)
    }

    static func bytes(_ lines: String...) -> [UInt8] { Array(lines.map { $0 + "\r\n" }.joined().utf8) }

    static let goOn = bytes("HTTP/1.1 100 Continue", "")
    static let hints = bytes("HTTP/1.1 103 Early Hints", "Link: </a.css>; rel=preload", "X-Early: yes", "")
    static let hello = RawFrame(opcode: 1, payload: Array("hello".utf8)).serverBytes

    static let interims: [(what: String, parts: [[UInt8]?])] = [
        ("100", [goOn]), ("100, apart", [goOn, nil]), ("103", [hints]), ("three", [hints, nil, hints, hints, nil]),
        ("102 and 199", [bytes("HTTP/1.1 102 Processing", ""), bytes("HTTP/1.0 199", "A: b", "")]),
        (
            "103 in pieces",
            [Array(hints.prefix(20)), nil, Array(hints.dropFirst(20).prefix(9)), nil, Array(hints.dropFirst(29))]
        ),
        ("a hundred", Array(repeating: goOn, count: 100)),
    ]

    @Test("may come after any number of interim answers", arguments: interims.indices, [false, true])
    func interim(_ index: Int, _ isSecure: Bool) throws {
        let parts = Self.interims[index].parts
        let server = try Self.server(isSecure) { parts + [Self.upgrade($0, ["X-Final: yes"]) + Self.hello] }
        defer { server.stop() }
        let client = try Self.connect(server, isSecure)
        #expect(client.httpResponse?.status.code == 101)
        let names = client.httpResponse?.headerFields.map(\.name.canonicalName)
        #expect(names == ["x-final", "upgrade", "connection", "sec-websocket-accept"])
        #expect(try client.readTextMessage() == "hello")
        try client.writeTextMessage("and back")
        #expect(try client.readTextMessage() == "and back")
        try client.close()
    }

    @Test("counts after an interim answer where it refuses", arguments: [302, 401, 403, 503], [false, true])
    func refused(_ status: Int, _ isSecure: Bool) throws {
        let answer = Self.bytes(
            "HTTP/1.1 \(status) No", "Retry-After: 2", "Location: /", "WWW-Authenticate: Basic realm=\"x\"",
            "Content-Length: 4", "", "busy")
        let server = try Self.server(isSecure) { _ in [Self.hints, nil, Self.goOn + answer] }
        defer { server.stop() }
        let error = try #require(failure { try Self.connect(server, isSecure) })
        #expect(error.code == .invalidHandshake)
        #expect(error.httpResponse?.status.code == status)
        #expect(error.httpResponse?.headerFields[.retryAfter] == "2")
        #expect(error.httpResponseBody == Array("busy".utf8))
        #expect(error.isRetriable == (status >= 500))
    }

    @Test("is waited for no longer than the limit says while interim answers go on and on")
    func forEver() throws {
        let server = try RawServer { peer in
            _ = try? peer.readRequestHead()
            while peer.send(Self.goOn) { _ = MonotonicSemaphore().wait(until: Deadline(after: .milliseconds(50))) }
        }
        defer { server.stop() }
        let error = failure { try Self.connect(server, false) { $0.handShakeTimeout = .milliseconds(500) } }
        #expect(error?.code == .handshakeTimedOut)
    }

    @Test("behind too many interim answers is not looked for", arguments: [false, true])
    func flood(_ isSecure: Bool) throws {
        let many = Array(repeating: Self.goOn, count: 50).flatMap(\.self)
        let server = try Self.server(isSecure) { _ in Array(repeating: many, count: 100) }
        defer { server.stop() }
        #expect(failure { try Self.connect(server, isSecure) }?.code == .invalidHandshake)
    }

    static let fields = [
        "X-Request-Id: 7", "X-RateLimit-Remaining: 7", "X-Multi: one", "X-Multi: two", "Set-Cookie: a=1; Path=/",
        "Set-Cookie: b=2; Path=/", "Server: pieces", "X-Empty:", "X-Blanks: \t in  the middle \t",
    ]

    /// Cuts the bytes before each of these places.
    static func cut(_ bytes: [UInt8], _ places: [Int]) -> [[UInt8]?] {
        var parts: [[UInt8]?] = []
        for (start, end) in zip([0] + places, places + [bytes.count]) where start < end {
            parts += [Array(bytes[start..<end]), nil]
        }
        return parts
    }

    /// Every kind of place to cut a head at.
    static let cuts = [
        "nowhere", "status", "in the status", "after a line", "in a name", "before the end", "lines",
    ]

    @Test("is all on the response, however it is cut", arguments: cuts, [false, true])
    func pieces(_ where: String, _ isSecure: Bool) throws {
        for end in ["\r\n", "\n"] {
            let server = try Self.server(isSecure) { request in
                let head = Self.upgrade(request, Self.fields, end: end)
                let lineEnds = head.indices.filter { head[$0] == 10 }.map { $0 + 1 }
                let places =
                    switch `where` {
                    case "status": [lineEnds[0]]
                    case "in the status": [10]
                    case "after a line": [lineEnds[3]]
                    case "in a name": [lineEnds[3] + 3]
                    case "before the end": [head.count - 1]
                    case "lines": lineEnds
                    default: [Int]()
                    }
                return Self.cut(head + Self.hello, places)
            }
            defer { server.stop() }
            let client = try Self.connect(server, isSecure)
            let response = try #require(client.httpResponse)
            let seen = response.headerFields.map { "\($0.name.rawName): \($0.value)" }.prefix(Self.fields.count)
            #expect(
                Array(seen) == Self.fields.dropLast(2) + ["X-Empty: ", "X-Blanks: in  the middle"], "\(`where`)")
            #expect(try client.readTextMessage() == "hello")
            try client.close()
        }
    }

    @Test("of a refusal is all on the error, however it is cut", arguments: [false, true])
    func refusalInPieces(_ isSecure: Bool) throws {
        let answer =
            Self.bytes("HTTP/1.1 429 Too Many Requests") + Array(Self.fields.map { $0 + "\r\n" }.joined().utf8)
            + Self.bytes("X-RateLimit-Reset: 1700000000", "Retry-After: 5", "Content-Length: 9", "")
            + Array("slow down".utf8)
        for place in [5, 11, 30, 100, answer.count - 20] {
            let server = try Self.server(isSecure) { _ in Self.cut(answer, [place]) }
            defer { server.stop() }
            let error = failure { try Self.connect(server, isSecure) }
            #expect(error?.httpResponse?.status.code == 429)
            #expect(error?.httpResponse?.headerFields.count == Self.fields.count + 3)
            #expect(error?.httpResponse?.headerFields[.retryAfter] == "5")
            #expect(error?.httpResponseBody == Array("slow down".utf8), "\(place)")
        }
    }

    static func many(_ count: Int) -> [String] {
        (0..<count).map {
            ["Set-Cookie: c\($0)=\($0)", "Link: </\($0)>", "Via: 1.1 hop\($0)", "Vary: X-\($0)"][$0 % 4]
        }
    }

    static func seen(_ response: HTTPResponse?, _ count: Int) -> [String] {
        (response?.headerFields.prefix(count).map { "\($0.name.rawName): \($0.value)" } ?? [])
    }

    @Test("may have hundreds of fields of names that everybody knows", arguments: [41, 90, 100, 900])
    func manyFields(_ count: Int) throws {
        let server = try Self.server(false) { [Self.upgrade($0, Self.many(count)) + Self.hello] }
        defer { server.stop() }
        let before = try ProcessMetrics.openDescriptors()
        for _ in 0..<3 {
            let client = try Self.connect(server, false)
            #expect(Self.seen(client.httpResponse, count) == Self.many(count))
            #expect(try client.readTextMessage() == "hello")
            try client.writeTextMessage("and back")
            #expect(try client.readTextMessage() == "and back")
            try client.close()
        }
        #expect(eventually { (try? ProcessMetrics.openDescriptors()) ?? .max <= before + 8 })
    }

    @Test("may have fields whose names are the beginnings of others")
    func beginnings() throws {
        let fields = ["X-A: 1", "Se: 2", "U: 3", "Sec-WebSocket-Accep: 4", "G: 5", "HTTP: 6", "Upgrad: 7"]
        for field in fields {
            let server = try Self.server(false) { [Self.upgrade($0, [field]) + Self.hello] }
            defer { server.stop() }
            let client = try Self.connect(server, false)
            #expect(Self.seen(client.httpResponse, 1) == [field])
            #expect(try client.readTextMessage() == "hello")
        }
    }

    @Test("over TLS may have as many of them as libwebsockets holds, and an error says where that ends")
    func manySecureFields() throws {
        for (count, isOpen) in [(60, true), (200, false)] {
            let server = try Self.server(true) { [Self.upgrade($0, Self.many(count)) + Self.hello] }
            defer { server.stop() }
            guard isOpen else {
                let error = failure { try Self.connect(server, true) }
                #expect(error?.code == .invalidHandshake)
                #expect(error?.httpResponse?.status.code == 101)
                #expect(error?.httpResponse?.headerFields.count == count + 3)
                #expect(error?.description.contains("cannot hold its \(count + 3) header fields") == true)
                continue
            }
            #expect(try Self.connect(server, true).readTextMessage() == "hello")
        }
    }

    @Test("of a refusal may have hundreds of them", arguments: [false, true])
    func manyFieldsOfRefusal(_ isSecure: Bool) throws {
        let lines = Self.many(500).map { $0 + "\r\n" }.joined()
        let answer = Array("HTTP/1.1 403 No\r\n\(lines)Content-Length: 2\r\n\r\nno".utf8)
        let server = try Self.server(isSecure) { _ in [answer] }
        defer { server.stop() }
        let error = failure { try Self.connect(server, isSecure) }
        #expect(Self.seen(error?.httpResponse, 500) == Self.many(500))
        #expect(error?.httpResponseBody == Array("no".utf8))
    }

    @Test("of a redirect may have hundreds of them, and is followed", arguments: [false, true])
    func manyFieldsOfRedirect(_ isSecure: Bool) throws {
        let server = try Self.server(isSecure) { request in
            guard request.hasPrefix("GET / ") else { return [Self.hints, Self.upgrade(request) + Self.hello] }
            let lines = Self.many(300).map { $0 + "\r\n" }.joined()
            return [Array("HTTP/1.1 302 Found\r\n\(lines)Location: /next\r\nContent-Length: 0\r\n\r\n".utf8)]
        }
        defer { server.stop() }
        #expect(try Self.connect(server, isSecure) { $0.followRedirects = 1 }.readTextMessage() == "hello")
    }

    @Test("of more than 32 KiB is a typed error", arguments: [false, true])
    func tooLong(_ isSecure: Bool) throws {
        for isCut in [false, true] {
            let server = try Self.server(isSecure) { request in
                let head = Self.upgrade(request, (0..<400).map { "X-\($0): \(String(repeating: "x", count: 100))" })
                return isCut ? Self.cut(head, [20_000]) : [head]
            }
            defer { server.stop() }
            let error = failure { try Self.connect(server, isSecure) }
            #expect(error?.code == .invalidHandshake)
            #expect(error?.description.contains("more than the 32768 bytes") == true, "\(error as Any)")
        }
    }
}
