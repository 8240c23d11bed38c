// The exit codes.

import LWSEchoServer
import TestSupport
import Testing

@Suite("Exit codes", .serialized)
struct ExitCodeTests {
    private let server: EchoServer

    init() throws { server = try EchoServer() }

    private func result(_ path: String, _ options: String...) throws -> Cat.Result {
        var cat = Cat("--keep-open", server.url(path))
        cat.arguments += options
        return try cat.run()
    }

    @Test("0 where the server closes with 1000, also while there is still input")
    func closedNormally() throws {
        let result = try Cat(server.url("/close/1000/bye"), input: .open).run()
        #expect(result.exit == .code(0))
        #expect(result.errors == "")
    }

    @Test("0 where the server closes without a code")
    func closedWithoutCode() throws {
        let server = try RawServer { peer in
            _ = try? peer.acceptUpgrade()
            peer.sendFrame(opcode: 8)
            peer.waitForEnd()
        }
        #expect(try Cat("--keep-open", server.url()).run().exit == .code(0))
    }

    @Test("3 and words where it closes with another code, or without a close frame")
    func closedAbnormally() throws {
        let closed = try result("/close/4000/enough")
        #expect(closed.exit == .code(3))
        #expect(closed.errors == "lwscat: The connection to 127.0.0.1 was closed by the server (4000): enough\n")
        let dropped = try result("/drop")
        #expect(dropped.exit == .code(3))
        #expect(dropped.errors.hasPrefix("lwscat: "))
    }

    @Test("3 where no message comes within --read-timeout, and the close is sent")
    func readTimeout() throws {
        let server = try ScriptedServer()
        let result = try Cat("--read-timeout", "0.1", server.url(), input: .open).run()
        #expect(result.exit == .code(3))
        #expect(result.errors.contains("No message came"))
        #expect(try server.close().closeCode == 1000)
    }

    @Test("3 where the server does not answer the close")
    func closeTimeout() throws {
        let result = try Cat("--close-timeout", "0.1", "--wait", "0", server.url("/silent")).run()
        #expect(result.exit == .code(3))
        #expect(result.errors.contains("did not answer the close frame within 0.1 seconds"))
    }

    @Test("3 where a message is larger than is allowed")
    func tooLarge() throws {
        let result = try result("/push/1/2000", "--max-message-size", "1K")
        #expect(result.exit == .code(3))
        #expect(result.errors.contains("1024"))
    }

    @Test("2 where there is nobody, or the server refuses, or takes too long")
    func cannotConnect() throws {
        let port = try FreePort.find()
        let nobody = try Cat("ws://127.0.0.1:\(port)/").run()
        #expect(nobody.exit == .code(2))
        #expect(nobody.errors.hasPrefix("lwscat: "))
        let refused = try result("/refuse/403")
        #expect(refused.exit == .code(2))
        #expect(refused.errors.contains("status 403"))
        let late = try result("/slow-upgrade/60000", "--connect-timeout", "0.1")
        #expect(late.exit == .code(2))
    }

    @Test(
        "1 for what is wrong with the command line",
        arguments: [
            [], ["--nonsense", "ws://127.0.0.1"], ["http://127.0.0.1/"], ["-H", "no colon", "ws://127.0.0.1"],
            ["-H", "Upgrade: x", "ws://127.0.0.1"], ["--binary", "--base64", "ws://127.0.0.1"],
            ["--ping-interval", "x", "ws://127.0.0.1"], ["--pong-timeout", "1", "ws://127.0.0.1"],
            ["--config", "/nonexistent", "ws://127.0.0.1"], ["--key", "k", "ws://127.0.0.1"],
            ["--auth-basic", "nocolon", "ws://127.0.0.1"], ["--auth-bearer", "@/nonexistent", "ws://127.0.0.1"],
            ["--proxy", "socks5://127.0.0.1", "ws://127.0.0.1"], ["--pin", "x", "wss://127.0.0.1"],
            ["listen"], ["listen", "x"], ["listen", "70000"], ["bench"],
            ["bench", "--size", "none", "ws://127.0.0.1"],
        ])
    func usage(arguments: [String]) throws {
        var cat = Cat()
        cat.arguments = arguments
        let result = try cat.run()
        #expect(result.exit == .code(1))
        #expect(result.output == "")
        #expect(!result.errors.isEmpty)
    }
}
