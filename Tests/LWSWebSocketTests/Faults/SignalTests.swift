// Signals belong to the application.

#if os(Linux)
    import Foundation
    import LWSServiceLoop
    import Synchronization
    import TestSupport
    import Testing

    @testable import LWSWebSocket

    /// How often the handler below ran. Atomic, for a handler may not lock.
    private let handled = Atomic<Int>(0)

    @Suite("Signals", .serialized)
    struct SignalTests {
        /// Installs a counting handler, without SA_RESTART, while `body` runs.
        private func handling<Result>(_ signals: Int32..., body: () throws -> Result) rethrows -> Result {
            handled.store(0, ordering: .relaxed)
            var action = sigaction()
            action.__sigaction_handler.sa_handler = { _ in handled.add(1, ordering: .relaxed) }
            var before: [(Int32, sigaction)] = []
            for signal in signals {
                var old = sigaction()
                sigaction(signal, &action, &old)
                before.append((signal, old))
            }
            defer { for (signal, var old) in before { sigaction(signal, &old, nil) } }
            return try body()
        }

        private func identity(_ isSecure: Bool) throws -> TLSIdentity? {
            isSecure ? try TLSIdentity(CertificateAuthority.shared.server(.good)) : nil
        }

        private func configuration(_ isSecure: Bool) throws -> ClientConfiguration {
            var configuration = isSecure ? try ClientConfiguration.secure() : ClientConfiguration()
            (configuration.readTimeout, configuration.writeTimeout) = (Timing.ages, Timing.ages)
            return configuration
        }

        /// Writes into connections that the peer resets meanwhile, until that is noticed.
        private func writeIntoResets(_ isSecure: Bool) throws {
            let server = try RawServer(tls: try identity(isSecure)) { peer in
                _ = try? peer.acceptUpgrade()
                _ = try? peer.readFrame()
                peer.reset()
            }
            defer { server.stop() }
            for _ in 0..<10 {
                let client = try WebSocketClient(server.url(), configuration: configuration(isSecure))
                let bytes = [UInt8](repeating: 1, count: 60000)
                var error: WebSocketError?
                for _ in 0..<1000 where error == nil { error = failure { try client.writeBinaryMessage(bytes) } }
                #expect(error?.code == .connectionClosure)
            }
        }

        @Test("SIGPIPE is not delivered for writes into a connection that was reset", arguments: [false, true])
        func sigpipe(_ isSecure: Bool) throws {
            try handling(SIGPIPE) { () throws -> Void in
                try writeIntoResets(isSecure)
                #expect(handled.load(ordering: .relaxed) == 0)
                // It would have been seen.
                raise(SIGPIPE)
                #expect(handled.load(ordering: .relaxed) == 1)
            }
            // Where it is as by default, it would end the process.
            var (byDefault, before) = (sigaction(), sigaction())
            sigaction(SIGPIPE, &byDefault, &before)
            defer { sigaction(SIGPIPE, &before, nil) }
            try writeIntoResets(isSecure)
        }

        private static let kinds = [SIGPIPE, SIGUSR1, SIGUSR2, SIGTERM, SIGCHLD, SIGINT, SIGHUP, SIGALRM]

        private struct Action: Equatable {
            let handler: Int
            let flags: Int32
            /// The signals 1 to 64. glibc leaves what is behind them in `sa_mask` unset, so bytes cannot be compared.
            let mask: UInt64
        }

        private static func actions() -> [Action] {
            kinds.map { kind in
                var action = sigaction()
                sigaction(kind, nil, &action)
                return Action(
                    handler: withUnsafeBytes(of: action.__sigaction_handler) { $0.loadUnaligned(as: Int.self) },
                    flags: action.sa_flags,
                    mask: withUnsafeBytes(of: action.sa_mask) { $0.loadUnaligned(as: UInt64.self) })
            }
        }

        @Test("the application's handlers survive loops, connections over TLS, look-ups, and their end")
        func handlersSurvive() throws {
            let server = try EchoProcess(secure: true)
            try handling(SIGPIPE, SIGUSR1, SIGTERM, SIGCHLD) { () throws -> Void in
                let before = Self.actions()
                let loop = WebSocketLoop()
                var client: WebSocketClient? = try WebSocketClient(
                    server.url(host: "localhost"), configuration: configuration(true), loop: loop)
                #expect(try client?.echoes() == true)
                #expect(Self.actions() == before)
                client = nil
                #expect(eventually { !loop.isRunning })
                #expect(eventually { (try? ProcessMetrics.threads(named: "lws-client")) == 0 })
                #expect(Self.actions() == before)
            }
        }

        @Test("are blocked in every thread of the library, so that the application's get them")
        func blocked() throws {
            struct Waiting: PingPongHandler {
                let called = MonotonicSemaphore()
                let mayEnd = MonotonicSemaphore()
                func onPong(_ payload: [UInt8]) {
                    called.signal()
                    _ = mayEnd.wait(until: Deadline(after: Timing.ages))
                }
            }
            let server = try EchoProcess()
            let handler = Waiting()
            defer { handler.mayEnd.signal() }
            var configuration = try configuration(false)
            configuration.pingPongHandler = handler
            let client = try WebSocketClient(server.url(), configuration: configuration)
            try client.ping()
            #expect(handler.called.wait(until: Deadline(after: Timing.ages)))
            var seen = Set<String>()
            for thread in try FileManager.default.contentsOfDirectory(atPath: "/proc/self/task") {
                guard let status = try? String(contentsOfFile: "/proc/self/task/\(thread)/status", encoding: .utf8)
                else { continue }
                let fields = status.split(separator: "\n").reduce(into: [Substring: String]()) { fields, line in
                    let parts = line.split(separator: ":", maxSplits: 1)
                    fields[parts[0]] = parts.last?.trimmingCharacters(in: .whitespaces)
                }
                guard let name = fields["Name"], name.hasPrefix("lws-") else { continue }
                seen.insert(name)
                let mask = UInt64(fields["SigBlk"] ?? "", radix: 16) ?? 0
                // Not SIGKILL and SIGSTOP, nor the two that glibc keeps for itself.
                let free = (1...64).filter { mask & 1 << UInt64($0 - 1) == 0 && ![9, 19, 32, 33, 34].contains($0) }
                #expect(free.isEmpty, "\(name): \(free)")
            }
            #expect(seen.isSuperset(of: ["lws-client", "lws-pongs"]), "\(seen)")
        }

        @Test("interrupt a blocked read without ending it, or its time limit coming early")
        func interrupted() throws {
            let isOften = try succeedsWithSomeLimit { try interrupt(readOf: $0) > 10 }
            #expect(isOften)
        }

        /// Interrupts a read that has so long and gets nothing, time and again. Returns how many signals were handled.
        private func interrupt(readOf limit: Duration) throws -> Int {
            let mayAnswer = MonotonicSemaphore()
            let server = try RawServer { peer in
                _ = try? peer.acceptUpgrade()
                _ = mayAnswer.wait(until: Deadline(after: Timing.ages))
                peer.sendFrame(opcode: 1, Array("late".utf8))
                peer.waitForEnd()
            }
            defer { server.stop() }
            var configuration = try configuration(false)
            configuration.readTimeout = limit
            let client = try WebSocketClient(server.url(), configuration: configuration)
            return try handling(SIGUSR1) { () throws -> Int in
                let reader = Locked<pthread_t?>(nil)
                let reading = try Background { () throws -> Duration in
                    var wanted = sigset_t()
                    sigemptyset(&wanted)
                    sigaddset(&wanted, SIGUSR1)
                    pthread_sigmask(SIG_UNBLOCK, &wanted, nil)
                    reader.withLock { $0 = pthread_self() }
                    let time = Timing.of {
                        #expect(failure { try client.readMessage() }?.code == .readTimedOut)
                    }
                    mayAnswer.signal()
                    // It may take longer to come than one read may.
                    #expect(eventually { (try? client.readTextMessage()) == "late" })
                    // Its handle is not used any more.
                    reader.withLock { $0 = nil }
                    return time
                }
                while reading.isBlocked(for: .milliseconds(2)) {
                    reader.withLock { if let thread = $0 { _ = pthread_kill(thread, SIGUSR1) } }
                }
                let time = try reading.value()
                #expect(time >= limit && time < limit + Timing.atOnce, "\(time)")
                return handled.load(ordering: .relaxed)
            }
        }
    }
#endif
