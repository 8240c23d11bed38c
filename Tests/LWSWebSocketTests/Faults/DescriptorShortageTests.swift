// A process that has no descriptor left (EMFILE).

#if os(Linux)
    import Foundation
    import LWSServiceLoop
    import TestSupport
    import Testing

    @testable import LWSWebSocket

    @Suite("Without a descriptor to be had", .serialized)
    struct DescriptorShortageTests {
        init() throws {
            // Loops of tests before that end meanwhile would give descriptors back.
            try #require(eventually { (try? ProcessMetrics.threads(named: "lws-client")) == 0 })
        }

        private func secure(_ change: (inout ClientSecureSocket) -> Void = { _ in }) throws -> ClientConfiguration {
            let root = try Array(Data(contentsOf: URL(filePath: CertificateAuthority.shared.rootFile)))
            return try .secure {
                // In memory, so that it is the socket which fails.
                $0.cert = .pem(.bytes(root))
                change(&$0)
            }
        }

        @Test("connecting is an error that says so, in each way; what is open goes on, and afterwards all is well")
        func connecting() throws {
            let (plain, tls) = (try EchoProcess(), try EchoProcess(secure: true))
            let folder = try TemporaryFolder("lws")
            let unix = try PythonWebSocketsServer(unixSocket: folder.file("s"))
            defer { unix.stop() }
            let key = try CertificateAuthority.shared.client(.rsa)
            let files = try secure {
                $0.key = .pem(
                    certFile: .file(key.chainFile), keyFile: .file(key.privateKeyFile))
            }
            let loop = WebSocketLoop()
            let clients = [
                try WebSocketClient(plain.url(), loop: loop),
                try WebSocketClient(tls.url(), configuration: secure(), loop: loop),
            ]
            var ways: [(name: String, code: WebSocketError.Code, url: String, ClientConfiguration, WebSocketLoop)] = [
                ("ws", .connection, plain.url(), .init(), loop),
                ("wss", .connection, tls.url(), try secure(), loop),
                ("a name", .connection, plain.url(host: "localhost"), .init(), loop),
                ("roots in a file", .ssl, tls.url(), try .secure(), loop),
                ("a key in files", .ssl, tls.url(), files, loop),
                ("a loop of its own", .connection, plain.url(), .init(), WebSocketLoop()),
            ]
            if LibraryFeature.unixSockets.isPresent {
                ways.append(("a unix socket", .connection, "ws+unix://\(folder.file("s")):/echo", .init(), loop))
            }
            try Shortage.ofDescriptors { () throws -> Void in
                for (name, code, url, configuration, loop) in ways {
                    let time = Timing.of {
                        let error = failure { try WebSocketClient(url, configuration: configuration, loop: loop) }
                        #expect(error?.code == code && error?.isRetriable == true, "\(name): \(error as Any)")
                        let isNamed = error?.description.contains("descriptors") == true
                        #expect(
                            isNamed || error?.description.contains("Too many open files") == true || name == "a name")
                    }
                    #expect(time < Timing.atOnce, "\(name): \(time)")
                    for client in clients { #expect(try client.echoes(name)) }
                }
            }
            for (name, _, url, configuration, loop) in ways {
                let client = try WebSocketClient(url, configuration: configuration, loop: loop)
                #expect(try client.echoes(name))
            }
        }

        @Test("a connection is made again as soon as there is one, after five losses", arguments: [false, true])
        func reconnecting(_ isSecure: Bool) throws {
            let server = try EchoProcess(secure: isSecure)
            let log = RetryLog()
            var configuration = log.configuration()
            configuration.secureSocket = try secure().secureSocket
            let client = try WebSocketClient(server.url("/drop/1"), configuration: configuration)
            for _ in 0..<5 {
                #expect(try client.echoes())
                #expect(eventually { !client.isOpen })
            }
            let before = log.all.count
            let echo = try Shortage.ofDescriptors {
                let echo = try Background { try client.echoes() }
                // The first is for the loss.
                #expect(eventually { log.all.count > before + 1 })
                return echo
            }
            #expect(try echo.value())
            let error = log.all[before + 1].error
            #expect(error.description.contains("Too many open files") && error.isRetriable, "\(error)")
        }

        @Test("a token that cannot be had for it is an error of its own, worth another attempt")
        func tokens() throws {
            let server = try AuthorizationServer(tls: try CertificateAuthority.shared.server(.good))
            defer { server.stop() }
            var grant = try GrantKind.clientCredentials.grant(server)
            grant.clientConfig.secureSocket = try secure().secureSocket
            var configuration = try secure()
            configuration.auth = .oauth2(OAuth2TokenProvider(grant))
            let url = server.socketURL("/echo", host: "127.0.0.1")
            let error = try Shortage.ofDescriptors {
                failure { try WebSocketClient(url, configuration: configuration) }
            }
            #expect(error?.code == .auth && error?.isRetriable == true, "\(error as Any)")
            #expect(try WebSocketClient(url, configuration: configuration).echoes())
        }

        @Test(
            "with a few left, connecting works or is an error, and nothing is left behind",
            arguments: [(false, false), (true, false), (false, true)])
        func someLeft(_ isSecure: Bool, _ takesProxy: Bool) throws {
            let server = try EchoProcess(secure: isSecure)
            let tinyproxy = takesProxy ? try TinyProxy(credentials: ("user", "passw0rd")) : nil
            defer { tinyproxy?.stop() }
            var configuration = isSecure ? try ClientConfiguration.secure() : ClientConfiguration()
            configuration.proxy = tinyproxy.map {
                Proxy(host: "localhost", port: $0.port, username: "user", password: "passw0rd")
            }
            configuration.handShakeTimeout = Timing.ages
            let loops = (0..<13).map { _ in WebSocketLoop() }
            let before = try ProcessMetrics.openDescriptors()
            var outcomes: [Bool] = []
            for (left, loop) in loops.enumerated() {
                let url = server.url(host: "localhost")
                var echoes = false
                let error = try Shortage.ofDescriptors(left: left) {
                    failure {
                        echoes = try WebSocketClient(url, configuration: configuration, loop: loop).echoes()
                    }
                }
                #expect(echoes || error?.code == .connection || error?.code == .ssl, "\(left): \(error as Any)")
                outcomes.append(echoes)
                #expect(
                    try WebSocketClient(server.url(), configuration: configuration, loop: loop).echoes(), "\(left)")
            }
            #expect(outcomes.first == false && outcomes.last == true)
            #expect(eventually { (try? ProcessMetrics.openDescriptors()) ?? .max <= before })
        }

        @Test("the first at least of pings that come together is answered")
        func pings() throws {
            let (seen, go) = (Seen(), MonotonicSemaphore())
            let pings = (0..<10).map { RawFrame(opcode: 9, payload: [$0]) }
            let server = try RawServer { peer in
                defer { seen.done() }
                _ = try? peer.acceptUpgrade()
                _ = go.wait(until: .never)
                peer.send((pings + [RawFrame(opcode: 1, payload: [65])]).flatMap(\.serverBytes))
                if let frame = try? peer.readFrame() { seen.add(frame) }
                seen.done()
                peer.waitForEnd()
            }
            let client = try WebSocketClient(server.url())
            try Shortage.ofDescriptors { () throws -> Void in
                go.signal()
                #expect(try client.readTextMessage() == "A")
                #expect(try seen.all().first?.payload == pings.first?.payload)
            }
            #expect(client.isOpen)
        }

        @Test("a loop that starts where few descriptors may be had serves more clients as soon as more may be had")
        func loopOfTheShortage() throws {
            let server = try EchoProcess()
            let loop = WebSocketLoop()
            let first = try Shortage.ofDescriptors(left: 12) { try WebSocketClient(server.url(), loop: loop) }
            var fillers: [Int32] = []
            defer { for filler in fillers { close(filler) } }
            // Whatever is opened from here on has a higher number than could be had then.
            let limit = try ProcessMetrics.highestDescriptor() + 13
            repeat { fillers.append(open("/dev/null", O_RDONLY | O_CLOEXEC)) } while fillers.last ?? limit < limit
            let others = try (0..<20).map { _ in try WebSocketClient(server.url(), loop: loop) }
            for client in [first] + others { #expect(try client.echoes()) }
            #expect(try ProcessMetrics.threads(named: "lws-client") == 2)
            // Each of the threads ends with the last of its clients.
            try first.close()
            let isOver = eventually { (try? ProcessMetrics.threads(named: "lws-client")) == 1 }
            #expect(isOver && loop.isRunning)
            for client in others { #expect(try client.echoes()) }
            for client in others { try client.close() }
            #expect(eventually { (try? ProcessMetrics.threads(named: "lws-client")) == 0 })
            #expect(!loop.isRunning)
        }

        @Test("the system's roots that could not be read are read when the client tries again")
        func systemRoots() throws {
            let server = try EchoProcess(secure: true)
            let holes = Locked<[Int32]>([])
            var configuration = ClientConfiguration()
            configuration.retryConfig = WebSocketRetryConfig(maxCount: 1, interval: .milliseconds(1)) { _ in
                for hole in holes.withLock({ holes in
                    defer { holes = [] }
                    return holes
                }) { close(hole) }
            }
            try withEnvironment(["SSL_CERT_FILE": CertificateAuthority.shared.rootFile]) {
                let spare = (0..<12).map { _ in open("/dev/null", O_RDONLY | O_CLOEXEC) }
                holes.withLock { $0 = spare }
                let client = try Shortage.ofDescriptors {
                    try WebSocketClient(server.url(), configuration: configuration, loop: .shared)
                }
                #expect(try client.echoes())
            }
        }
    }
#endif
