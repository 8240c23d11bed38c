// The server as a command.

import Foundation
import LWSWebSocket
import TestConditions
import TestSupport
import Testing

@Suite("The command lws-echo-server", .serialized)
struct CommandTests {
    /// The running command, once it listens.
    private struct Command {
        let process: PeerProcess
        let url: String
        var port: Int { URLComponents(string: url)?.port ?? 0 }

        init(_ options: String...) throws { try self.init(options) }

        init(_ options: [String]) throws {
            process = try PeerProcess(try BuiltProgram.path("lws-echo-server"), ["--port", "0"] + options)
            url = try process.waitForLine("listening on ")
        }
    }

    /// How the command ends that cannot start, and what it prints.
    private func failure(_ options: String...) throws -> (exit: PeerProcess.Exit, output: String) {
        try failure(options)
    }

    private func failure(_ options: [String]) throws -> (exit: PeerProcess.Exit, output: String) {
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

    @Test("listens where --host says", .needsIPv6)
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

    @Test("compresses, unless --no-compression is given", .needsCompression)
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

    @Test("hands on what the other --tls options say")
    func tlsOptions() throws {
        let certificate = try SelfSignedCertificate()
        let files = ["--tls-cert", certificate.certificateFile, "--tls-key", certificate.privateKeyFile]
        let command = try Command(
            files + ["--tls-version", "1.2", "--tls-ciphers", "ECDHE-ECDSA-CHACHA20-POLY1305"])
        let client = try PeerProcess(
            python: "tls_client.py", ["\(command.port)", "--ca", certificate.certificateFile])
        #expect(try client.waitForExit() == .code(0))
        #expect(client.output == "TLSv1.2 ECDHE-ECDSA-CHACHA20-POLY1305 new\n")
        let suites = try failure(files + ["--tls-ciphersuites", "NOPE"])
        #expect(suites.exit == .code(1))
        #expect(suites.output.hasSuffix("Error: 'NOPE' names no cipher suite of TLS 1.3 that OpenSSL knows\n"))
        for option in ["--tls-client-ca", "--tls-key-password-file"] {
            let file = try failure(files + [option, "/nonexistent"])
            #expect(file.exit == .code(1))
            #expect(file.output == "Error: cannot read '/nonexistent': No such file or directory\n")
        }
    }

    /// Encrypts the certificate's key with "open sesame". The new file goes with the certificate.
    private func encryptedKey(of certificate: SelfSignedCertificate) throws -> String {
        let file = certificate.privateKeyFile + ".encrypted"
        let openssl = try PeerProcess(
            "/usr/bin/openssl",
            ["pkcs8", "-topk8", "-in", certificate.privateKeyFile, "-out", file, "-passout", "pass:open sesame"])
        guard try openssl.waitForExit() == .code(0) else { throw PeerError("openssl: \(openssl.output)") }
        return file
    }

    @Test("reads the key's password from the first line of a file", arguments: ["\n", "\r\nsecond\n", ""])
    func password(end: String) throws {
        let certificate = try SelfSignedCertificate()
        let key = try encryptedKey(of: certificate)
        let file = certificate.privateKeyFile + ".password"
        let options = [
            "--tls-cert", certificate.certificateFile, "--tls-key", key, "--tls-key-password-file", file,
        ]
        try "open sesame\(end)".write(toFile: file, atomically: true, encoding: .utf8)
        #expect(try Command(options).url.hasPrefix("wss:"))
        try "wrong\(end)".write(toFile: file, atomically: true, encoding: .utf8)
        let wrong = try failure(options)
        #expect(wrong.exit == .code(1))
        #expect(wrong.output.contains("Error: cannot use the private key in '\(key)': the password is not the right"))
    }

    @Test("never asks for the key's password on the terminal")
    func terminal() throws {
        let certificate = try SelfSignedCertificate()
        let key = try encryptedKey(of: certificate)
        let script = "import os, pty, sys; sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))"
        let command = try PeerProcess(
            PackageFolder.virtualEnvironment + "/bin/python",
            [
                "-c", script, try BuiltProgram.path("lws-echo-server"), "--port", "0",
                "--tls-cert", certificate.certificateFile, "--tls-key", key,
            ])
        #expect(try command.waitForExit() == .code(1))
        #expect(command.output.contains("Error: cannot use the private key in '\(key)': it is encrypted"))
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

    @Test("--version tells its release, and that of libwebsockets")
    func version() throws {
        let (exit, output) = try failure("--version")
        #expect(exit == .code(0))
        #expect(output == "0.1.0, \(libraryVersion)\n")
        #expect(libraryVersion.compiledWith == libraryVersion.runningWith)
    }

    #if os(Linux)
        @Test(
            "does not start on a libwebsockets of another series than it was compiled with",
            .disabled(if: Sanitizer.isActive, "a sanitizer has to be loaded before that"))
        func otherLibrary() throws {
            let process = try OtherLibrary().start("lws-echo-server", "--port", "0")
            #expect(try process.waitForExit() == .code(1))
            let words =
                "Error: libwebsockets \(OtherLibrary.release) is loaded, but this program was compiled with \(libraryVersion.compiledWith)"
            #expect(process.output.hasPrefix(words), "\(process.output)")
            let version = try OtherLibrary().start("lws-echo-server", "--version")
            #expect(try version.waitForExit() == .code(0))
            let both = "libwebsockets \(OtherLibrary.release), compiled with \(libraryVersion.compiledWith)"
            #expect(version.output.hasPrefix("0.1.0, \(both)"), "\(version.output)")
        }
    #endif

    @Test("says what is wrong with its options, and what there is")
    func options() throws {
        let lonely = try failure("--tls-cert", "/nonexistent")
        #expect(lonely.exit == .code(64))
        #expect(lonely.output.contains("--tls-cert and --tls-key go together"))
        for (option, value) in [
            ("--tls-key-password-file", "f"), ("--tls-client-ca", "f"), ("--tls-version", "1.3"),
            ("--tls-ciphers", "ALL"), ("--tls-ciphersuites", "TLS_AES_128_GCM_SHA256"),
        ] {
            let alone = try failure(option, value)
            #expect(alone.exit == .code(64))
            #expect(alone.output.contains("\(option) goes with --tls-cert and --tls-key"))
        }
        let version = try failure("--tls-version", "1.1")
        #expect(version.exit == .code(64))
        #expect(version.output.contains("--tls-version is 1.2 or 1.3"))
        let help = try failure("--help")
        #expect(help.exit == .code(0))
        for path in ["/echo", "/close/<code>/<reason>", "/slow-upgrade/<ms>", "/headers"] {
            #expect(help.output.contains(path))
        }
    }
}
