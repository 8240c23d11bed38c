// An application that forks inside the functions that the library calls.

#if os(Linux)
    import Glibc
    import HTTPTypes
    import LWSServiceLoop
    import Logging
    import TestSupport
    import Testing

    @testable import LWSWebSocket

    @Suite("A fork in a function of the application's", .serialized)
    struct ForkInHandlerTests {
        /// Where it happens.
        enum Place: String, CaseIterable, Sendable {
            /// A line of the client's log, in the midst of what lws delivers: where a caller serves the connection whose message
            /// comes, and where the loop's thread does.
            case logOfLeader, logOfLoop
            case pongHandler, eventHandler, onRetry, authenticator, authenticatorOfTask
            /// One that throws, and one that is told of a 401.
            case failingAuthenticator, refusedAuthenticator
        }

        /// What the child does.
        enum Act: CaseIterable, Sendable {
            case ends, startsProgram, returns
        }

        /// Forks once, and waits for the child's end.
        private final class Forker: PingPongHandler, HandshakeAuthenticator, Sendable {
            private struct State {
                var isArmed = false
                var code: Int32?
            }

            private let act: Act
            private let place: Place
            private let state = Locked(State())
            private let isOver = MonotonicSemaphore()

            init(_ act: Act, _ place: Place) { (self.act, self.place) = (act, place) }

            func arm() { state.withLock { $0.isArmed = true } }

            /// Returns whether it has.
            @discardableResult
            func fork() -> Bool {
                let isArmed = state.withLock { state in
                    defer { state.isArmed = false }
                    return state.isArmed
                }
                guard isArmed, let child = try? ForkedChild.fork() else { return false }
                guard child == 0 else {
                    let code = ForkedChild.waitForEnd(of: child)
                    state.withLock { $0.code = code }
                    isOver.signal()
                    return true
                }
                // What hangs ends by SIGALRM.
                alarm(UInt32(Timing.ages / .seconds(1)))
                switch act {
                case .ends: _exit(3)
                case .startsProgram:
                    var words: [UnsafeMutablePointer<CChar>?] = [strdup("sh"), strdup("-c"), strdup("exit 4"), nil]
                    execv("/bin/sh", &words)
                    _exit(127)
                case .returns: close(STDERR_FILENO)
                }
                return true
            }

            /// The child's exit code, once there is one.
            func code() throws -> Int32? {
                guard isOver.wait(until: Deadline(after: Timing.ages)) else { throw StillRunning(limit: Timing.ages) }
                return state.withLock { $0.code }
            }

            func onPong(_ payload: [UInt8]) { fork() }
            func headerFields(for request: AuthenticationRequest) throws(AuthenticationError) -> HTTPFields {
                guard place != .refusedAuthenticator else { return [:] }
                guard fork(), place == .failingAuthenticator else { return [:] }
                throw AuthenticationError("none", isTransient: true)
            }
            func wasRefused(_ refusal: AuthenticationRefusal) -> Bool {
                fork()
                return true
            }
        }

        private struct ForkingLog: LogHandler {
            let forker: Forker
            var logLevel = Logger.Level.debug
            var metadata: Logger.Metadata = [:]
            init(_ forker: Forker) { self.forker = forker }
            subscript(metadataKey key: String) -> Logger.Metadata.Value? {
                get { metadata[key] }
                set { metadata[key] = newValue }
            }
            func log(event: LogEvent) { if event.message == "frame received" { forker.fork() } }
        }

        private func configuration(_ place: Place, _ forker: Forker, secure: Bool) throws -> ClientConfiguration {
            var configuration = secure ? try ClientConfiguration.secure() : ClientConfiguration()
            configuration.readTimeout = Timing.ages
            switch place {
            case .logOfLeader, .logOfLoop: configuration.logger = Logger(label: "forking") { _ in ForkingLog(forker) }
            case .pongHandler: configuration.pingPongHandler = forker
            case .eventHandler: configuration.eventHandler = { if $0.kind == .pong { forker.fork() } }
            case .onRetry:
                configuration.retryConfig = WebSocketRetryConfig(maxCount: 1, interval: .milliseconds(1)) { _ in
                    forker.fork()
                }
            case .authenticator, .authenticatorOfTask, .failingAuthenticator, .refusedAuthenticator:
                configuration.auth = .custom(forker)
            }
            return configuration
        }

        private func server(_ identity: TLSIdentity?, _ seen: Seen) throws -> RawServer {
            try RawServer(tls: identity) { peer in
                _ = try? peer.acceptUpgrade()
                while let frame = try? peer.readFrame() {
                    seen.add(frame)
                    peer.sendFrame(opcode: frame.opcode == 9 ? 10 : frame.opcode, frame.payload)
                    if frame.opcode == 8 { break }
                }
                seen.done()
            }
        }

        /// Has a client call that function.
        private func provoke(_ place: Place, _ client: WebSocketClient, _ forker: Forker) async throws {
            forker.arm()
            switch place {
            case .logOfLeader: #expect(try client.echoes("fork"))
            case .logOfLoop: try client.writeTextMessage("fork")
            case .pongHandler, .eventHandler: try client.ping()
            case .authenticatorOfTask:
                let server = try server(nil, Seen())
                defer { server.stop() }
                let other = try await WebSocketClient.connect(
                    server.url(), configuration: try configuration(place, forker, secure: false))
                try await other.close()
            case .authenticator, .failingAuthenticator, .refusedAuthenticator, .onRetry:
                let server = try RawServer { peer in
                    guard place == .refusedAuthenticator, (try? peer.readRequestHead()) != nil else { return }
                    peer.send("HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n")
                    peer.waitForEnd()
                }
                defer { server.stop() }
                var configuration = try configuration(place, forker, secure: false)
                // A child that goes on would be told.
                if place == .failingAuthenticator { configuration.retryConfig = WebSocketRetryConfig(maxCount: 1) }
                let url = server.url()
                let error = failure { try WebSocketClient(url, configuration: configuration) }
                // The child is told why it cannot go on.
                guard !ForkedProcess.isCurrent else {
                    _exit(error?.code == .invalidArgument && error?.description.contains("forked") == true ? 5 : 6)
                }
                #expect(error?.code == (place == .refusedAuthenticator ? .invalidHandshake : .connection))
            }
        }

        /// What becomes of a child that returns: the call that it is in throws where it is the application's own thread, and it
        /// ends where it would go on as one of the library's.
        private func expected(_ place: Place, _ act: Act) -> Int32 {
            switch act {
            case .ends: 3
            case .startsProgram: 4
            case .returns:
                switch place {
                case .authenticator, .failingAuthenticator, .refusedAuthenticator, .onRetry: 5
                default: 70
                }
            }
        }

        @Test(
            "leaves its parent's connections alone, whatever the child does then", arguments: Place.allCases,
            Act.allCases)
        func anywhere(_ place: Place, _ act: Act) async throws {
            for isSecure in [false, true] {
                let seen = Seen()
                let identity = isSecure ? try TLSIdentity(CertificateAuthority.shared.server(.good)) : nil
                let server = try server(identity, seen)
                defer { server.stop() }
                let forker = Forker(act, place)
                let client = try WebSocketClient(
                    server.url(), configuration: try configuration(place, forker, secure: isSecure))
                try await provoke(place, client, forker)
                let code = try forker.code()
                #expect(code == expected(place, act), "\(isSecure ? "wss" : "ws")")
                try goOn(client, place)
                #expect(try seen.all().last?.opcode == 8)
            }
        }

        private func goOn(_ client: WebSocketClient, _ place: Place) throws {
            if place == .logOfLoop { #expect(try client.readTextMessage() == "fork") }
            #expect(try client.echoes("after"))
            try client.close()
            #expect(client.closure?.isClean == true)
        }
    }
#endif
