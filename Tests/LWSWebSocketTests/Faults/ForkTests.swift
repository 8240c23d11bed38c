// An application that forks, with and without starting a program.

#if os(Linux)
    import Foundation
    import LWSServiceLoop
    import TestSupport
    import Testing

    @testable import LWSWebSocket

    @Suite("A process that forks", .serialized)
    struct ForkTests {
        /// After so many milliseconds a child is taken for one that hangs.
        private static let patience = Int32(Timing.ages / .milliseconds(1))

        private func server(secure: Bool, _ seen: Seen) throws -> RawServer {
            let identity = secure ? try TLSIdentity(CertificateAuthority.shared.server(.good)) : nil
            return try RawServer(tls: identity) { peer in
                _ = try? peer.acceptUpgrade()
                while let frame = try? peer.readFrame() {
                    seen.add(frame)
                    if frame.opcode == 1 || frame.opcode == 8 { peer.sendFrame(opcode: frame.opcode, frame.payload) }
                    if frame.opcode == 8 { break }
                }
                seen.done()
            }
        }

        private func connect(_ server: RawServer, secure: Bool) throws -> WebSocketClient {
            var configuration = secure ? try ClientConfiguration.secure() : ClientConfiguration()
            (configuration.readTimeout, configuration.writeTimeout) = (Timing.ages, Timing.ages)
            return try WebSocketClient(server.url(), configuration: configuration)
        }

        /// What the descriptors of a program are that was started with nothing but fork and exec.
        private func inherited() throws -> [String] {
            // The last one may be the folder's own, which is closed by then.
            let script = "for f in /proc/self/fd/*; do readlink $f; done; exit 0"
            let words = ["/bin/sh", "-c", script].map { (word: String) in strdup(word) } + [nil]
            defer { for word in words { free(word) } }
            let program = try #require(words[0])
            let end = try words.withUnsafeBufferPointer { list in
                guard let first = list.baseAddress else { throw PeerError("no words") }
                return try ForkedChild.run(within: Self.patience) { _ in
                    // So that an inherited SIGCHLD that is blocked does not keep the shell waiting.
                    var none = sigset_t()
                    sigemptyset(&none)
                    sigprocmask(SIG_SETMASK, &none, nil)
                    execv(program, first)
                    return 127
                }
            }
            guard case .exited(0, let output) = end else { throw PeerError("\(end)") }
            let own = ["/proc/", "pipe:"]
            return String(decoding: output, as: UTF8.self).split(separator: "\n").map(String.init)
                .filter { line in !own.contains { line.hasPrefix($0) } }.sorted()
        }

        @Test("hands no descriptor of a client to a program that it starts")
        func exec() throws {
            let before = try inherited()
            let (plain, secure) = (try server(secure: false, Seen()), try server(secure: true, Seen()))
            let folder = try TemporaryFolder("lws")
            let unix = try PythonWebSocketsServer(unixSocket: folder.file("s"))
            defer { unix.stop() }
            var logging = try ClientConfiguration.secure()
            logging.secureSocket?.keyLog = .file(folder.file("keys"))
            let loop = WebSocketLoop()
            let descriptors = try ProcessMetrics.openDescriptors()
            var clients = [
                try WebSocketClient(plain.url(), loop: loop),
                try WebSocketClient(secure.url(), configuration: logging, loop: loop),
            ]
            if LibraryFeature.unixSockets.isPresent {
                clients.append(try WebSocketClient("ws+unix://\(folder.file("s")):/echo", loop: loop))
            }
            let count = clients.count + 3
            #expect(try ProcessMetrics.openDescriptors() >= descriptors + count, "sockets, key log, lws's own two")
            #expect(try inherited() == before)
            for client in clients { try client.close(timeout: .zero) }
        }

        @Test("and whose child ends, or cannot start its program, keeps its connections", arguments: [false, true])
        func childEnds(_ isSecure: Bool) throws {
            let seen = Seen()
            let server = try server(secure: isSecure, seen)
            defer { server.stop() }
            let client = try connect(server, secure: isSecure)
            #expect(try client.echoes())
            for _ in 0..<5 {
                #expect(try ForkedChild.run(within: Self.patience) { _ in 3 } == .exited(3, output: []))
                let failing = try ForkedChild.run(within: Self.patience) { _ in
                    execv("/nonexistent", [nil])
                    return 126
                }
                #expect(failing == .exited(126, output: []))
                #expect(try client.echoes("after"))
            }
            try client.close()
            #expect(try seen.all().map(\.opcode) == [1, 1, 1, 1, 1, 1, 8])
        }

        /// The numbers by which a child tells what came of its calls.
        private static func outcome(_ body: () throws -> Void) -> UInt8 {
            do {
                try body()
                return 0
            } catch let error as WebSocketError {
                return error.code == .invalidArgument && error.description.contains("fork") ? 1 : 2
            } catch { return 3 }
        }

        @Test(
            "refuses each blocking call in the child at once, whatever is locked, and no harm is done",
            arguments: [false, true])
        func callsInTheChild(_ isSecure: Bool) throws {
            let seen = Seen()
            let server = try server(secure: isSecure, seen)
            defer { server.stop() }
            let client = try connect(server, secure: isSecure)
            let url = server.url()
            #expect(try client.echoes())
            // Another thread holds the locks while the process forks.
            let (isLocked, mayGo) = (MonotonicSemaphore(), MonotonicSemaphore())
            let holding = try Background {
                client.inside.holdingLocks {
                    isLocked.signal()
                    _ = mayGo.wait(until: Deadline(after: Timing.ages * 2))
                }
            }
            #expect(isLocked.wait(until: Deadline(after: Timing.ages)))
            let calls: [@Sendable (WebSocketClient) throws -> Void] = [
                { _ = try $0.readMessage() }, { try $0.writeTextMessage("child") }, { try $0.ping() },
                { try $0.close() },
                { _ = try $0.roundTripTime() }, { _ in _ = try WebSocketClient(url, loop: WebSocketLoop()) },
                { _ in _ = try WebSocketClient(url) },
                { if $0.isOpen { throw PeerError("open") } else { throw Closed() } },
            ]
            let end = try ForkedChild.run(within: Self.patience) { report in
                for call in calls { report(Self.outcome { try call(client) }) }
                return 0
            }
            mayGo.signal()
            try holding.value()
            #expect(end == .exited(0, output: [1, 1, 1, 1, 1, 1, 1, 3]))
            #expect(try client.echoes("parent"))
            try client.close()
            #expect(try seen.all().map(\.opcode) == [1, 1, 8], "nothing came from the child")
        }

        private struct Closed: Error {}

        @Test("keeps a connection whose client the child drops", arguments: [false, true])
        func droppedInTheChild(_ isSecure: Bool) throws {
            let seen = Seen()
            let server = try server(secure: isSecure, seen)
            defer { server.stop() }
            let box = Locked<WebSocketClient?>(try connect(server, secure: isSecure))
            weak let client = box.withLock { $0 }
            #expect(try client?.echoes() == true)
            let end = try ForkedChild.run(within: Self.patience) { _ in
                box.withLock { $0 = nil }
                return client == nil ? 0 : 1
            }
            #expect(end == .exited(0, output: []))
            #expect(try client?.echoes() == true)
            box.withLock { $0 = nil }
            #expect(try seen.all().map(\.closeCode) == [nil, nil, 1001])
        }

        @Test("closes a connection no later though a child lives that has the socket too", arguments: [false, true])
        func childLives(_ isSecure: Bool) throws {
            let seen = Seen()
            let server = try server(secure: isSecure, seen)
            defer { server.stop() }
            let client = try connect(server, secure: isSecure)
            #expect(try client.echoes())
            let hasForked = try Pipe()
            let mayEnd = try Pipe()
            let child = try Background {
                try ForkedChild.run(within: Self.patience) { _ in
                    hasForked.signal()
                    mayEnd.wait()
                    return 0
                }
            }
            hasForked.wait()
            let time = try Timing.of { try client.close(timeout: Timing.ages) }
            let frames = try seen.all()
            mayEnd.signal()
            #expect(try child.value() == .exited(0, output: []))
            #expect(time < Timing.atOnce, "\(time)")
            #expect(frames.map(\.opcode) == [1, 8])
        }

        /// What two processes wait for each other by.
        private final class Pipe: Sendable {
            private let ends: (reader: Int32, writer: Int32)
            init() throws {
                var ends: [Int32] = [-1, -1]
                guard pipe(&ends) == 0 else { throw PeerError("pipe") }
                self.ends = (ends[0], ends[1])
            }
            deinit {
                close(ends.reader)
                close(ends.writer)
            }
            func signal() {
                var byte: UInt8 = 1
                _ = write(ends.writer, &byte, 1)
            }
            func wait() {
                var byte: UInt8 = 0
                _ = read(ends.reader, &byte, 1)
            }
        }
    }
#endif
