// The server as a command.

import Foundation
import LWSWebSocket
import TestSupport
import Testing

@Suite("The command lws-echo-server", .serialized)
struct CommandTests {
    /// The running command, once it listens.
    private struct Command {
        let process: PeerProcess
        let url: String
        var port: Int { URLComponents(string: url)?.port ?? 0 }

        init(_ options: String...) throws {
            process = try PeerProcess(try BuiltProgram.path("lws-echo-server"), ["--port", "0"] + options)
            url = try process.waitForLine("listening on ")
        }
    }

    /// How the command ends that cannot start, and what it prints.
    private func failure(_ options: String...) throws -> (exit: PeerProcess.Exit, output: String) {
        let process = try PeerProcess(try BuiltProgram.path("lws-echo-server"), options)
        return (try process.waitForExit(), process.output)
    }

    @Test("tells its URL, serves, and ends with 0 on a signal", arguments: [SIGTERM, SIGINT])
    func serves(signal: Int32) throws {
        let command = try Command()
        #expect(command.url == "ws://127.0.0.1:\(command.port)/echo")
        let client = try WebSocketClient(command.url)
        try client.writeTextMessage("hello")
        #expect(try client.readTextMessage() == "hello")
        command.process.send(signal: signal)
        let error = #expect(throws: WebSocketError.self) { try client.readMessage() }
        #expect(error?.closure?.code == 1001)
        #expect(try command.process.waitForExit() == .code(0))
        #expect(command.process.output == "listening on \(command.url)\n")
    }

    @Test("listens where --host says")
    func host() throws {
        let command = try Command("--host", "::1")
        #expect(command.url == "ws://[::1]:\(command.port)/echo")
        let client = try RawClient(upgradedTo: "/echo", host: "::1", port: command.port)
        client.send(.text("six"))
        #expect(try client.readFrame() == .text("six"))
    }

    @Test("accepts what --subprotocol names")
    func subProtocols() throws {
        let command = try Command("--subprotocol", "chat", "--subprotocol", "other")
        for name in ["chat", "other"] {
            let output = try PythonWebSocketsClient.run(
                command.url, "--mode", "fragmented", "--subprotocol", name)
            #expect(output.contains("subprotocol: \(name)\n"))
        }
        let client = try RawClient(port: command.port)
        client.sendUpgrade("/echo", headers: ["Sec-WebSocket-Protocol: third"])
        #expect(try client.readRefusal().status == 400)
    }

    @Test("compresses, unless --no-compression is given")
    func compression() throws {
        for (command, expected) in [(try Command(), "permessage-deflate"), (try Command("--no-compression"), nil)] {
            let client = try RawClient(port: command.port)
            client.sendUpgrade("/echo", headers: ["Sec-WebSocket-Extensions: permessage-deflate"])
            #expect(RawConnection.field("Sec-WebSocket-Extensions", in: try client.readUpgrade()) == expected)
        }
    }

    @Test("speaks TLS with --tls-cert and --tls-key")
    func tls() throws {
        let certificate = try SelfSignedCertificate()
        let command = try Command(
            "--tls-cert", certificate.certificateFile, "--tls-key", certificate.privateKeyFile)
        #expect(command.url == "wss://127.0.0.1:\(command.port)/echo")
        try PythonWebSocketsClient.run(
            command.url, "--compression", "on", "--insecure-ca", certificate.certificateFile)
        command.process.send(signal: SIGTERM)
        #expect(try command.process.waitForExit() == .code(0))
    }

    @Test("ends with 1 and words where it cannot listen")
    func cannotListen() throws {
        let taken = try RawServer { $0.waitForEnd() }
        let (exit, output) = try failure("--port", "\(taken.port)")
        #expect(exit == .code(1))
        #expect(output == "Error: port \(taken.port) of 127.0.0.1 is in use\n")
        let host = try failure("--port", "0", "--host", "localhost")
        #expect(host.exit == .code(1))
        #expect(host.output == "Error: 'localhost' is not a numeric IPv4 or IPv6 address\n")
        let certificate = try failure("--port", "0", "--tls-cert", "/nonexistent", "--tls-key", "/nonexistent")
        #expect(certificate.exit == .code(1))
        #expect(certificate.output == "Error: cannot read '/nonexistent': No such file or directory\n")
    }

    @Test("says what is wrong with its options, and what there is")
    func options() throws {
        let lonely = try failure("--tls-cert", "/nonexistent")
        #expect(lonely.exit == .code(64))
        #expect(lonely.output.contains("--tls-cert and --tls-key go together"))
        let help = try failure("--help")
        #expect(help.exit == .code(0))
        for path in ["/echo", "/close/<code>/<reason>", "/slow-upgrade/<ms>", "/headers"] {
            #expect(help.output.contains(path))
        }
    }
}
