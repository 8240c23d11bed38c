// What the options bring onto the wire.

import Foundation
import LWSEchoServer
import TestConditions
import TestSupport
import Testing

@Suite("Options on the wire", .serialized)
struct WireTests {
    /// The request's head with these options.
    private func head(_ options: [String], headers: [String] = []) throws -> (head: String, result: Cat.Result) {
        let server = try ScriptedServer(headers: headers)
        var cat = Cat(server.url("/path?query"))
        cat.arguments += options
        let result = try cat.run()
        return (try server.head(), result)
    }

    @Test("sends header fields, cookies, the origin and sub-protocols")
    func handshake() throws {
        let (head, result) = try head(
            [
                "-H", "X-One: 1", "--header", "X-Two:two: parts", "--origin", "https://example.com",
                "--cookie", "a=b=c", "--cookie", "d=e", "-s", "v2", "--subprotocol", "v1", "-v",
            ], headers: ["Sec-WebSocket-Protocol: v1"])
        #expect(result.exit == .code(0))
        #expect(result.errors.contains("with the sub-protocol v1"))
        for (name, value) in [
            ("X-One", "1"), ("X-Two", "two: parts"), ("Origin", "https://example.com"), ("Cookie", "a=b=c; d=e"),
        ] {
            #expect(RawConnection.field(name, in: head) == value)
        }
        #expect(RawConnection.field("Sec-WebSocket-Protocol", in: head)?.replacing(" ", with: "") == "v2,v1")
    }

    @Test("offers compression as told", .needsCompression)
    func compression() throws {
        let (usual, _) = try head([])
        #expect(RawConnection.field("Sec-WebSocket-Extensions", in: usual)?.contains("permessage-deflate") == true)
        let (none, _) = try head(["--no-compression"])
        #expect(RawConnection.field("Sec-WebSocket-Extensions", in: none) == nil)
        let (other, _) = try head(["--server-no-context-takeover", "--client-max-window-bits", "10"])
        let offer = RawConnection.field("Sec-WebSocket-Extensions", in: other) ?? ""
        #expect(offer.contains("server_no_context_takeover") && offer.contains("client_max_window_bits=10"))
    }

    @Test("sends credentials from the command line and from files, and shows them nowhere")
    func credentials() throws {
        let folder = try TemporaryFolder("lwscat-secrets")
        let basic = Data("user:pass word".utf8).base64EncodedString()
        let file = try folder.write("user:pass word\nsecond line\n", to: "basic")
        for value in ["user:pass word", "@\(file)"] {
            let (head, result) = try head(["-v", "--auth-basic", value])
            #expect(RawConnection.field("Authorization", in: head) == "Basic \(basic)")
            #expect(!(result.errors + result.output).contains("pass word"))
            #expect(!(result.errors + result.output).contains(basic))
        }
        let token = try folder.write("t0ken\r\n", to: "token")
        for value in ["t0ken", "@\(token)"] {
            let (head, result) = try head(["-v", "--auth-bearer", value])
            #expect(RawConnection.field("Authorization", in: head) == "Bearer t0ken")
            #expect(!result.errors.contains("t0ken"))
        }
    }

    @Test("shows neither the server's cookies nor a secret that it cannot use")
    func secrets() throws {
        let (_, result) = try head(["-v"], headers: ["Set-Cookie: session=s3cret", "X-Plain: shown"])
        #expect(result.errors.contains("* X-Plain: shown"))
        #expect(result.errors.contains("Set-Cookie: (not shown)"))
        #expect(!result.errors.contains("s3cret"))
        for options in [
            ["--auth-basic", "s3cret"], ["--auth-bearer", "s3 cret"], ["--proxy", "http://user:s3cret@"],
            ["--auth-basic", "a:s3cret", "--auth-bearer", "s3cret"], ["-H", "s3cret"], ["--cookie", "s3cret"],
        ] {
            var cat = Cat("ws://127.0.0.1:1/")
            cat.arguments += options
            let result = try cat.run()
            #expect(result.exit == .code(1))
            #expect(!result.errors.contains("cret"), "\(options)")
        }
    }

    @Test("reads the configuration from a file, and lets options go before it")
    func configurationFile() throws {
        let folder = try TemporaryFolder("lwscat-configuration")
        let file = try folder.write(
            """
            {"customHeaders": {"X-File": "yes"}, "subProtocols": ["file"], "webSocketCompressionEnabled": false,
             "auth": {"token": "from-file"}, "pingInterval": 20, "validation": false}
            """, to: "client.json")
        let (head, result) = try head(
            ["--config", file, "-H", "X-Option: yes", "-s", "option"], headers: ["Sec-WebSocket-Protocol: option"])
        #expect(result.exit == .code(0))
        #expect(RawConnection.field("X-File", in: head) == "yes")
        #expect(RawConnection.field("X-Option", in: head) == "yes")
        #expect(RawConnection.field("Sec-WebSocket-Protocol", in: head) == "option")
        #expect(RawConnection.field("Sec-WebSocket-Extensions", in: head) == nil)
        #expect(RawConnection.field("Authorization", in: head) == "Bearer from-file")
        try folder.write("{\"readTimeuot\": 1}", to: "client.json")
        let wrong = try Cat("--config", file, "ws://127.0.0.1:1/").run()
        #expect(wrong.exit == .code(1))
        #expect(wrong.errors.contains("readTimeuot"))
    }

    @Test("goes through the proxy, with its credentials")
    func proxy() throws {
        let server = try EchoServer()
        let proxy = try TinyProxy(credentials: ("user", "s3cret"))
        let result = try Cat(
            "--proxy", "http://user:s3cret@127.0.0.1:\(proxy.port)", "-v", server.url(), input: .text("hi\n")
        ).run()
        #expect(result.output == "hi\n")
        #expect(!result.errors.contains("s3cret"))
        #expect(proxy.output.contains("CONNECT"))
        let refused = try Cat("--proxy", "127.0.0.1:\(proxy.port)", server.url()).run()
        #expect(refused.exit == .code(2))
        let environment = try Cat(
            "--proxy", "environment", server.url(), input: .text("hi\n"),
            environment: ["http_proxy": "user:s3cret@127.0.0.1:\(proxy.port)", "no_proxy": "", "NO_PROXY": ""]
        ).run()
        #expect(environment.output == "hi\n")
    }

    @Test("sends pings of its own")
    func pings() throws {
        let pinged = Flag()
        let server = try RawServer { peer in
            _ = try? peer.acceptUpgrade()
            while let frame = try? peer.readFrame() {
                if frame.opcode == 9 { pinged.set() }
                guard frame.opcode == 8 else { continue }
                peer.sendFrame(opcode: 8, frame.payload)
            }
        }
        _ = try Cat("--ping-interval", "0.05", server.url(), input: .open).started { running in
            try pinged.wait()
            running.process.send(signal: SIGTERM)
            return try running.process.waitForExit()
        }
    }

    @Test("connects again with --retry, after a loss too, and tells it with -v")
    func retry() throws {
        let visits = Flag()
        let server = try RawServer { peer in
            _ = try? peer.acceptUpgrade()
            guard (try? visits.wait(within: .zero)) != nil else {
                visits.set()
                return peer.reset()
            }
            peer.sendFrame(opcode: 1, Array("again".utf8))
            peer.sendFrame(opcode: 8, [3, 232])
            peer.waitForEnd()
        }
        let result = try Cat(
            "-v", "--retry", "3", "--retry-interval", "0.01", "--keep-open", server.url(), input: .open
        ).run()
        #expect(result.exit == .code(0))
        #expect(result.output == "again\n")
        #expect(result.errors.contains("attempt 1 to connect again in 0.01 s"))
    }
}
