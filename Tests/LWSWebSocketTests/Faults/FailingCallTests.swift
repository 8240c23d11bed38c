// Each call of the system, and each piece of memory that libwebsockets, OpenSSL and zlib ask for, that fails once.

#if os(Linux)
    import Foundation
    import LWSEchoServer
    import LWSServiceLoop
    import TestSupport
    import Testing

    @testable import LWSWebSocket

    /// `lws-failing-calls` (Tests/FailingCalls) has them fail, one after the other, and says what is expected.
    @Suite(
        "One call that fails", .serialized,
        .disabled(if: Sanitizer.isActive, "sanitizers have functions of their own in the place of libc's"))
    struct FailingCallTests {
        /// What clients live through there.
        private static let plain = ["plain", "proxied", "unix", "again", "suspended", "pinged"]
        private static let secure = [
            "secure", "resumed", "untrusted", "misnamed", "revoked", "token", "signed", "pingedSecurely", "stapled",
            "stapledRevoked", "softlyRevoked", "misaddressed", "unpinned",
        ]
        /// `make failing-calls`: some thousand pieces of memory for each of those over TLS take minutes.
        private static let isWhole = ProcessInfo.processInfo.environment["FAILING_CALLS"] == "all"

        @Test(
            "of the system ends in a typed error at the most, and leaves nothing behind; no server is trusted for it")
        func system() throws {
            let peers = try FailingCallPeers()
            var counts: [String: Int] = [:]
            for (_, part) in try peers.run(Self.lives(Self.plain + Self.secure + ["unknown"]), "system") {
                counts.merge(part) { $0 + $1 }
            }
            // libwebsockets makes this one from 4.2 on alone.
            counts["getsockname:ENOBUFS"] = nil
            #expect(counts.count > 30 && !counts.values.contains(0), "\(counts)")
        }

        @Test("for memory does the same")
        func memory() throws {
            let peers = try FailingCallPeers()
            let lives = Self.lives(Self.plain + (Self.isWhole ? Self.secure : ["misnamed"]))
            for (life, counts) in try peers.run(lives, "memory") {
                #expect(counts["malloc:ENOMEM"] ?? 0 > (Self.secure.contains(life) ? 300 : 7), "\(life): \(counts)")
            }
        }

        @Test("that is the first of its kind in a process does the same", .enabled(if: isWhole))
        func anew() throws {
            let peers = try FailingCallPeers()
            // Up to the first message of TLS, and further: what comes behind that is set up for each connection.
            #expect(try peers.run(["unpinned"], "memory", ["--anew", "--last", "1000"]).count == 1)
        }

        private static func lives(_ names: [String]) -> [String] {
            names.filter { $0 != "unix" || LibraryFeature.unixSockets.isPresent }
        }
    }

    /// Whom those clients talk to.
    private final class FailingCallPeers {
        private let processes: [PeerProcess]
        private let proxy: TinyProxy
        private let unix: PythonWebSocketsServer
        private let authorization: AuthorizationServer
        private let upstream: EchoServer
        private let nginx: [NginxServer]
        private let pinging: [RawServer]
        private let folder: TemporaryFolder
        private let arguments: [String]

        init() throws {
            let authority = try CertificateAuthority.shared
            let server = try authority.server(.good)
            let client = try authority.client(.rsa)
            let echo = try BuiltProgram.path("lws-echo-server")
            let options = ["--tls-client-ca", try authority.clientTrustFile]
            processes = try [
                [], Self.tls(server) + options, Self.tls(try authority.server(.revoked)) + options,
            ].map { try PeerProcess(echo, ["--port", "0"] + $0) }
            let ports = try processes.map { try WebSocketURL(try $0.waitForLine("listening on ")).port }
            folder = try TemporaryFolder("lws-failing")
            proxy = try TinyProxy()
            unix = try PythonWebSocketsServer(compression: true, unixSocket: folder.file("s"))
            authorization = try AuthorizationServer(tls: server)
            upstream = try EchoServer()
            let upstreamPort = upstream.port
            nginx = try [CertificateAuthority.StapledResponse.good, .revoked].map { response in
                let staple = try authority.stapleFile(response, for: server)
                return try NginxServer(upstream: upstreamPort, identity: server) {
                    $0.stapleFile = staple
                    $0.clientTrustFile = try? authority.clientTrustFile
                }
            }
            pinging = try [nil, TLSIdentity(server)].map { try RawServer(tls: $0) { Self.ping($0) } }
            arguments = [
                "--plain", "ws://127.0.0.1:\(ports[0])/", "--secure", "wss://localhost:\(ports[1])/",
                "--revoked", "wss://localhost:\(ports[2])/", "--proxy", String(proxy.port),
                "--unix", "ws+unix://\(folder.file("s")):/echo", "--token", authorization.tokenURL(),
                "--root", authority.rootFile, "--other-root", try authority.otherRootFile, "--revocations",
                try authority.crlFile,
                "--certificate", client.chainFile, "--key", client.privateKeyFile, "--key-log", folder.file("keys"),
                "--stapled", nginx[0].url("/"), "--stapled-revoked", nginx[1].url("/"), "--pinging", pinging[0].url(),
                "--pinging-securely", pinging[1].url(), "--pin", try server.publicKeyPinBase64(), "--root-folder",
                try authority.trustFolder, "--key-store", try client.pkcs12File(), "--signing-key",
                try authority.client(.ecdsa).encryptedKeyFile(),
            ]
        }

        deinit {
            for process in processes { process.stop() }
            proxy.stop()
            unix.stop()
            authorization.stop()
            upstream.stop()
            for server in nginx { server.stop() }
            for server in pinging { server.stop() }
        }

        /// 20 pings and a message in one piece; then how many of them were answered.
        private static func ping(_ peer: RawConnection) {
            guard (try? peer.acceptUpgrade()) != nil else { return }
            let pings = (0..<20).map { RawFrame(opcode: 9, payload: [UInt8($0)]) }
            peer.send((pings + [RawFrame(opcode: 1, payload: Array("pinged".utf8))]).flatMap(\.serverBytes))
            var pongs = 0
            while let frame = try? peer.readFrame() {
                switch frame.opcode {
                case 10: pongs += 1
                case 1: peer.sendFrame(opcode: 1, Array("\(pongs)".utf8))
                default:
                    peer.sendFrame(opcode: 8, frame.payload)
                    return
                }
            }
        }

        private static func tls(_ identity: TestIdentity) -> [String] {
            ["--tls-cert", identity.chainFile, "--tls-key", identity.privateKeyFile]
        }

        /// Has the calls fail while a client lives in each of these ways, all at the same time: mostly they wait. Returns how
        /// many calls there were of each kind.
        func run(
            _ lives: [String], _ calls: String, _ options: [String] = []
        ) throws -> [(life: String, counts: [String: Int])] {
            let program = try BuiltProgram.path("lws-failing-calls")
            let probes = try lives.map {
                try PeerProcess(program, ["--life", $0, "--calls", calls] + options + arguments)
            }
            defer { for probe in probes { probe.stop() } }
            return try zip(lives, probes).map { ($0, try counts(of: $0, $1)) }
        }

        private func counts(of life: String, _ probe: PeerProcess) throws -> [String: Int] {
            // It ends by itself where a life hangs.
            let exit = try probe.waitForExit(within: .seconds(1800))
            let lines = probe.output.split(separator: "\n").map(String.init)
            let unexpected = lines.filter { $0.hasPrefix("WRONG") }
            #expect(unexpected.isEmpty, "\(life): \(unexpected.joined(separator: "\n"))")
            #expect(exit == .code(0) && lines.last == "complete", "\(life): \(exit) \(lines.suffix(3))")
            let counts = lines.compactMap { line -> (String, Int)? in
                let parts = line.components(separatedBy: ": ")
                return parts.count == 2 ? Int(parts[1]).map { (parts[0], $0) } : nil
            }
            return Dictionary(counts) { $1 }
        }
    }
#endif
