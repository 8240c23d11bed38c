// The last reference to a client, dropped wherever an application's code runs.

import HTTPTypes
import LWSServiceLoop
import Logging
import TestSupport
import Testing

@testable import LWSWebSocket

@Suite("Dropping the last reference", .serialized)
struct ReleaseTests {
    /// Where it happens.
    enum Place: String, CaseIterable, Sendable {
        case thread, pongHandler, onRetry, onRetryWhileReconnecting, authenticator, refusedAuthenticator, log,
            clientLog, decoder, loop
    }

    /// The last reference, until it is dropped.
    private final class Victim: Sendable {
        private let client: Locked<WebSocketClient?>
        private let gone = MonotonicSemaphore()
        let loop = WebSocketLoop()

        init(_ url: String, _ configuration: ClientConfiguration) throws {
            client = Locked(try WebSocketClient(url, configuration: configuration, loop: loop))
        }

        func drop() {
            // Out of the lock first, so that it goes without.
            var last = client.withLock { client in
                defer { client = nil }
                return client
            }
            guard last != nil else { return }
            last = nil
            gone.signal()
        }

        func ping() throws { try client.withLock { $0 }?.ping() }
        func lease() throws -> LoopLease { try loop.lease() }
        /// Waits until it is dropped.
        var isGone: Bool {
            guard gone.wait(until: Deadline(after: Timing.ages)) else { return false }
            gone.signal()
            return true
        }
    }

    private struct Dropping: PingPongHandler, HandshakeAuthenticator, LogHandler {
        let drop: @Sendable () -> Void
        var isAtRefusal = false
        var isOfClient = false
        var logLevel = Logger.Level.trace
        var metadata: Logger.Metadata = [:]
        init(_ drop: @escaping @Sendable () -> Void) { self.drop = drop }

        func onPong(_ payload: [UInt8]) { drop() }
        func headerFields(for request: AuthenticationRequest) throws(AuthenticationError) -> HTTPFields {
            if !isAtRefusal { drop() }
            return [:]
        }
        func wasRefused(_ refusal: AuthenticationRefusal) -> Bool {
            drop()
            return false
        }
        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }
        /// Of a client's log in the midst of what lws delivers.
        func log(event: LogEvent) {
            if !isOfClient || event.message == "frame received" { drop() }
        }
    }

    private struct Decoding: Decodable {
        static let drop = Locked<(@Sendable () -> Void)?>(nil)
        init(from decoder: any Decoder) throws { Self.drop.withLock { $0 }?() }
    }

    /// Makes the application's code run in which the victim is dropped.
    private func provoke(_ place: Place, _ victim: Victim) throws {
        var configuration = ClientConfiguration()
        configuration.readTimeout = .milliseconds(50)
        let dropping = Dropping { victim.drop() }
        switch place {
        case .thread: try Background { victim.drop() }.value()
        case .pongHandler, .clientLog: try victim.ping()
        case .onRetry:
            configuration.retryConfig = WebSocketRetryConfig(maxCount: 1, interval: .milliseconds(1)) { _ in
                victim.drop()
            }
            let port = try FreePort.find()
            #expect(failure { try WebSocketClient("ws://127.0.0.1:\(port)/", configuration: configuration) } != nil)
        case .onRetryWhileReconnecting:
            configuration.retryConfig = WebSocketRetryConfig(interval: .milliseconds(1)) { _ in victim.drop() }
            let server = try RawServer { _ = try? $0.acceptUpgrade() }
            defer { server.stop() }
            let client = try WebSocketClient(server.url(), configuration: configuration)
            // A read that is over before the loss is known would not meet it.
            #expect(eventually { !client.isOpen })
            _ = failure { try client.readMessage() }
            #expect(victim.isGone)
        case .authenticator, .refusedAuthenticator:
            var authenticator = dropping
            authenticator.isAtRefusal = place == .refusedAuthenticator
            configuration.auth = .custom(authenticator)
            let server = try RawServer { peer in
                _ = try? peer.readRequestHead()
                peer.send("HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n")
                peer.waitForEnd()
            }
            defer { server.stop() }
            #expect(
                failure { try WebSocketClient(server.url(), configuration: configuration) }?.code == .invalidHandshake
            )
        case .log:
            // lws's own lines come where the victim's loop is held. It warns of an answer that does not fit, however it was built.
            LWSLog.setLevel(.warning, on: Logger(label: "lws") { _ in dropping })
            defer { LibwebsocketsLog.setLevel(.warning) }
            let server = try RawServer { peer in
                _ = try? peer.acceptUpgrade(acceptOverride: "AAAAAAAAAAAAAAAAAAAAAAAAAAA=")
                peer.waitForEnd()
            }
            defer { server.stop() }
            #expect(
                failure { try WebSocketClient(server.url(), configuration: configuration, loop: victim.loop) }?.code
                    == .invalidHandshake)
            #expect(victim.isGone)
        case .decoder:
            Decoding.drop.withLock { $0 = { victim.drop() } }
            defer { Decoding.drop.withLock { $0 = nil } }
            let server = try RawServer { peer in
                _ = try? peer.acceptUpgrade()
                peer.sendFrame(opcode: 1, Array("{}".utf8))
                peer.waitForEnd()
            }
            defer { server.stop() }
            configuration.readTimeout = Timing.ages
            _ = try WebSocketClient(server.url(), configuration: configuration).readMessage(as: Decoding.self)
        case .loop:
            let lease = try victim.lease()
            lease.loop.perform { _ in victim.drop() }
        }
    }

    @Test(
        "in any of the application's functions closes with 1001, and blocks nobody", arguments: Place.allCases,
        [false, true])
    func anywhere(_ place: Place, _ isSecure: Bool) throws {
        let seen = Seen()
        let identity = isSecure ? try TLSIdentity(CertificateAuthority.shared.server(.good)) : nil
        let server = try RawServer(tls: identity) { peer in
            _ = try? peer.acceptUpgrade()
            while let frame = try? peer.readFrame() {
                seen.add(frame)
                peer.sendFrame(opcode: frame.opcode == 9 ? 10 : frame.opcode, frame.payload)
                if frame.opcode == 8 { break }
            }
            seen.done()
        }
        defer { server.stop() }
        var configuration = isSecure ? try ClientConfiguration.secure() : ClientConfiguration()
        let box = Locked<(@Sendable () -> Void)?>(nil)
        if place == .pongHandler { configuration.pingPongHandler = Dropping { box.withLock { $0 }?() } }
        if place == .clientLog {
            configuration.logger = Logger(label: "victim") { _ in
                var dropping = Dropping { box.withLock { $0 }?() }
                dropping.isOfClient = true
                return dropping
            }
        }
        let victim = try Victim(server.url(), configuration)
        box.withLock { $0 = { [weak victim] in victim?.drop() } }
        try Background { try provoke(place, victim) }.value()
        #expect(victim.isGone)
        #expect(try seen.all().last?.closeCode == 1001)
    }

    @Test("waits for a call that is blocked, which goes on; then the client goes", arguments: [false, true])
    func blockedCall(_ isSecure: Bool) throws {
        let seen = Seen()
        let identity = isSecure ? try TLSIdentity(CertificateAuthority.shared.server(.good)) : nil
        let server = try RawServer(tls: identity) { peer in
            _ = try? peer.acceptUpgrade()
            _ = try? peer.readFrame()
            peer.sendFrame(opcode: 1, Array("for the reader".utf8))
            if let frame = try? peer.readFrame() { seen.add(frame) }
            seen.done()
        }
        defer { server.stop() }
        var configuration = isSecure ? try ClientConfiguration.secure() : ClientConfiguration()
        configuration.readTimeout = Timing.ages
        let box = Locked<WebSocketClient?>(try WebSocketClient(server.url(), configuration: configuration))
        let hasClient = MonotonicSemaphore()
        let reading = try Background {
            let client = box.withLock { $0 }
            hasClient.signal()
            return try client?.readTextMessage()
        }
        #expect(hasClient.wait(until: Deadline(after: Timing.ages)))
        #expect(reading.isBlocked())
        try box.withLock { $0 }?.writeTextMessage("go on")
        box.withLock { $0 = nil }
        #expect(try reading.value() == "for the reader")
        #expect(try seen.all().map(\.closeCode) == [1001])
    }

    #if os(Linux)
        @Test("on the thread of a loop that nobody else uses ends that loop, and leaves nothing")
        func ownLoop() throws {
            let server = try RawServer { peer in
                _ = try? peer.acceptUpgrade()
                while let frame = try? peer.readFrame() { peer.sendFrame(opcode: frame.opcode, frame.payload) }
            }
            defer { server.stop() }
            let before = try ProcessUsage()
            for _ in 0..<20 {
                let victim = try Victim(server.url(), ClientConfiguration())
                let lease = Locked<LoopLease?>(try victim.lease())
                // The lease too: its last holder is the loop itself.
                lease.withLock { $0 }?.loop.perform { _ in
                    victim.drop()
                    _ = lease.withLock { lease in
                        defer { lease = nil }
                        return lease
                    }
                }
                #expect(victim.isGone)
            }
            let settled = ProcessUsage.isBack(to: before)
            let after = try ProcessUsage()
            #expect(settled, "before: \(before); after: \(after)")
        }
    #endif
}
