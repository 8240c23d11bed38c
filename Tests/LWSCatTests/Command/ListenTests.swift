// lwscat listen.

import Foundation
import LWSWebSocket
import TestSupport
import Testing

@Suite("Listening", .serialized)
struct ListenTests {
    @Test("serves until a signal, and tells where")
    func serves() throws {
        let server = try PeerProcess(try BuiltProgram.path("lwscat"), ["listen", "0", "--subprotocol", "chat"])
        let url = try server.waitForLine("listening on ")
        let result = try Cat("-s", "chat", "-v", url, input: .text("hi\n")).run()
        #expect(result.output == "hi\n")
        #expect(result.errors.contains("with the sub-protocol chat"))
        server.send(signal: SIGINT)
        #expect(try server.waitForExit() == .code(0))
    }

    @Test("ends with 2 where it cannot listen")
    func portInUse() throws {
        let taken = try RawServer { $0.waitForEnd() }
        let result = try Cat("listen", "\(taken.port)").run()
        #expect(result.exit == .code(2))
        #expect(result.errors == "lwscat: port \(taken.port) of 127.0.0.1 is in use\n")
    }
}
