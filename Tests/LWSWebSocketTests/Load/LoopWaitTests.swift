// A loop that waits for all sockets by itself, also for those of connections that are being made or ended.

#if os(Linux)
    import LWSEchoServer
    import LWSServiceLoop
    import TestSupport
    import Testing

    @testable import LWSWebSocket

    @Suite("A loop's wait", .serialized)
    struct LoopWaitTests {
        enum Way: String, CaseIterable, Sendable { case plain, secure, proxied }

        @Test(
            "is over when a connection that is made or ended goes on, and has no other looked at",
            arguments: Way.allCases)
        func making(_ way: Way) throws {
            let proxy = try way == .proxied ? TinyProxy() : nil
            let server = try way == .secure ? SecureFaults.echoServer() : EchoServer()
            defer {
                proxy?.stop()
                server.stop()
            }
            var configuration = try SecureFaults.configuration()
            configuration.proxy = proxy.map { Proxy(host: "127.0.0.1", port: $0.port) }
            let loop = WebSocketLoop()
            let bystander = try WebSocketClient(server.url(), configuration: configuration, loop: loop)
            try loop.lookOnlyWhenAsked()
            let before = try loop.lastPass()
            for _ in 0..<10 {
                let client = try WebSocketClient(server.url(), configuration: configuration, loop: loop)
                #expect(try client.echoes())
                try client.close()
            }
            #expect(try loop.lastPass() == before)
            #expect(try bystander.echoes())
        }

        @Test("is over with each piece of an answer, and with an end of every kind")
        func pieces() throws {
            let server = try RawServer { peer in
                guard let head = try? peer.readRequestHead() else { return }
                guard !head.contains("GET /reset") else { return peer.reset() }
                guard !head.contains("GET /end") else { return }
                let key = RawConnection.field("Sec-WebSocket-Key", in: head) ?? ""
                let fields = "Upgrade: websocket\r\nConnection: Upgrade\r\n"
                let accept = "Sec-WebSocket-Accept: \(RawConnection.accept(for: key))\r\n\r\n"
                for piece in ["HTTP/1.1 101 Switching", " Protocols\r\n", fields, accept] {
                    peer.send(piece)
                    // Until it has been read by itself.
                    _ = peer.isQuiet(for: .milliseconds(5))
                }
                peer.sendFrame(opcode: 1, Array("first".utf8))
                guard head.contains("GET /closes") else { return peer.reset() }
                peer.sendFrame(opcode: 8, [3, 232])
                peer.waitForEnd()
            }
            let loop = WebSocketLoop()
            let bystander = try WebSocketClient(server.url("/closes"), loop: loop)
            #expect(try bystander.readTextMessage() == "first")
            try loop.lookOnlyWhenAsked()
            for path in ["/closes", "/breaks"] {
                let client = try WebSocketClient(server.url(path), loop: loop)
                #expect(try client.readTextMessage() == "first")
                let error = failure { try client.readTextMessage() }
                #expect(error?.code == .connectionClosure, "\(error as Any)")
            }
            for path in ["/reset", "/end"] {
                let error = failure { try WebSocketClient(server.url(path), loop: loop) }
                #expect(error?.code == .connection, "\(error as Any)")
            }
            let refused = failure { try WebSocketClient("ws://127.0.0.1:\(try FreePort.find())/", loop: loop) }
            #expect(refused?.description.contains("Connection refused") == true)
        }

        @Test("is over when the socket takes more of what is left to be sent before the end")
        func leftovers() throws {
            let (received, isOver) = (Locked<[UInt8]>([]), MonotonicSemaphore())
            let server = try RawServer { peer in
                _ = try? peer.acceptUpgrade()
                let beginning = peer.readSome(atMost: 1)
                peer.sendFrame(opcode: 8, [3, 232])
                let rest = peer.readUntilEnd()
                received.withLock { $0 = beginning + rest }
                isOver.signal()
            }
            defer { server.stop() }
            var configuration = ClientConfiguration()
            configuration.webSocketCompressionEnabled = false
            configuration.maxFrameSize = 1 << 26
            let loop = WebSocketLoop()
            let client = try WebSocketClient(server.url(), configuration: configuration, loop: loop)
            try loop.lookOnlyWhenAsked()
            let message = [UInt8](repeating: 7, count: 1 << 25)
            // More than the system takes: the rest is with libwebsockets when the peer's close frame comes.
            _ = failure { try client.writeBinaryMessage(message) }
            #expect(isOver.wait(until: Deadline(after: Timing.ages)))
            let bytes = received.withLock { $0 }
            #expect(bytes.count == 14 + message.count + 8, "the message, and the answer to the close frame")
            #expect(bytes.suffix(8).starts(with: [0x88, 0x82]))
        }

        @Test("does not end for good because one connection closes whose peer sends without pause")
        func endless() throws {
            let server = try RawServer { peer in
                _ = try? peer.acceptUpgrade()
                let frames = Array(
                    repeating: RawFrame(opcode: 2, payload: [UInt8](repeating: 0, count: 60_000)).serverBytes,
                    count: 16)
                while peer.send(Array(frames.joined())) {}
            }
            let echo = try EchoServer()
            defer {
                server.stop()
                echo.stop()
            }
            let loop = WebSocketLoop()
            let client = try WebSocketClient(server.url(), loop: loop)
            let closing = try Background { try client.close(timeout: Timing.ages) }
            for _ in 0..<5 {
                let other = try WebSocketClient(echo.url(), loop: loop)
                #expect(try other.echoes())
                try other.close()
            }
            #expect(closing.isBlocked(), "the peer neither reads nor answers")
            client.inside.giveUp()
            _ = failure { try closing.value(within: Timing.ages) }
        }

        @Test("leaves the loop to callers of other clients while a server says nothing to a handshake")
        func hanging() throws {
            let server = try EchoServer()
            var silent: UnattendedServer? = try UnattendedServer(room: 1)
            let (url, port) = try (#require(silent?.url()), #require(silent?.port))
            defer { server.stop() }
            let loop = WebSocketLoop()
            let client = try WebSocketClient(server.url(), loop: loop)
            let hanging = try Background { failure { try WebSocketClient(url, loop: loop) } }
            #expect(eventually { (try? ProcessMetrics.sockets(toPort: port).count) ?? 0 > 0 })
            let lease = try loop.lease()
            for _ in 0..<100 {
                let isHeld = lease.loop.hold { _ in true }
                #expect(isHeld == true)
                #expect(try client.echoes())
            }
            silent = nil
            #expect(try hanging.value(within: Timing.ages)?.code == .connection, "it was hanging until then")
        }
    }
#endif
