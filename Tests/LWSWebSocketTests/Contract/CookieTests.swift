// The contract's cookies.

import Foundation
import HTTPTypes
import TestSupport
import Testing

@testable import LWSWebSocket

@Suite("Cookies", .serialized)
struct CookieTests {
    @Test("go out in one field, the one with the longest path first, else in the order given")
    func order() throws {
        let seen = Seen()
        let server = try RawServer { peer in
            seen.add(RawFrame(opcode: 1, payload: Array(((try? peer.acceptUpgrade()) ?? "").utf8)))
            seen.done()
            peer.waitForEnd()
        }
        var configuration = ClientConfiguration()
        configuration.cookies = [
            Cookie(name: "a", value: "1"), Cookie(name: "b", value: "2", path: "/"),
            Cookie(name: "c", value: "3", path: "/deep/path"), Cookie(name: "d", value: "\"4\"", path: "/"),
            Cookie(name: "e", value: ""),
        ]
        try configuration.addHeader("Cookie", "first=0")
        _ = try WebSocketClient(server.url("/deep/path"), configuration: configuration)
        let head = try #require(try seen.all().first?.text)
        let lines = head.components(separatedBy: "\r\n").filter { $0.lowercased().hasPrefix("cookie:") }
        #expect(lines.count == 1)
        #expect(lines.first?.dropFirst(8) == "first=0; c=3; b=2; d=\"4\"; a=1; e=")
    }

    @Test("that cannot be sent are refused, without showing their value")
    func refused() {
        for (name, value) in [
            ("", "1"), ("a b", "1"), ("a=b", "1"), ("a;", "1"), ("a", "x;y"), ("a", "x y"), ("a", "x,y"),
            ("a", "x\r\ny"),
            ("a", "ü"), ("a", "\"x"), ("a", "back\\slash"),
        ] {
            var configuration = ClientConfiguration()
            configuration.cookies = [Cookie(name: name, value: value)]
            let error = failure { try WebSocketClient(unconnected: "ws://h/", configuration: configuration) }
            #expect(error?.code == .invalidArgument, "\(name)=\(value)")
            #expect(error?.description.contains("cookies") == true)
            #expect(value == "1" || error?.description.contains(value) == false)
        }
    }
}
