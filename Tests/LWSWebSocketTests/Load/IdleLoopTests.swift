// A loop that has nothing to do, however far its connections are.

import LWSServiceLoop
import TestSupport
import Testing

@testable import LWSWebSocket

/// libwebsockets has made its loop turn without end in several of these states, in one release or another.
@Suite("A loop, and a caller who serves a connection, take no processor time", .serialized)
struct IdleLoopTests {
    /// How far a connection is that nothing happens to.
    enum State: String, CaseIterable, Sendable {
        case resolving, securing, handshake, refusedInPart, open, paused, resetWhilePaused, endedWhilePaused, unsent
        case closing, closedByPeer  // which libwebsockets may have ended when it is looked
    }

    @Test("while nothing happens to a connection", arguments: State.allCases, [false, true])
    func idle(_ state: State, _ isSecure: Bool) throws {
        let peer = try Peer(state, isSecure)
        defer { peer.server.stop() }
        let loop = WebSocketLoop()
        // It is watched before and after there is a client.
        let lease = try loop.lease()
        defer { _ = lease }
        var configuration = try SecureFaults.configuration()
        configuration.handShakeTimeout = Timing.ages
        let resolver: any NameResolver = state == .resolving ? SlowResolver() : SystemNameResolver.shared
        let client = try WebSocketClient(peer.url, configuration, loop, resolver)
        let call = try Background { try Self.call(client, state) }
        if state != .resolving { #expect(peer.isThere.wait(until: Deadline(after: Timing.ages))) }
        switch state {
        case .paused: #expect(eventually { client.inside.isPaused })
        case .resetWhilePaused, .endedWhilePaused:
            #expect(eventually { client.inside.isPaused })
            peer.mayEnd.signal()
            #expect(peer.hasEnded.wait(until: Deadline(after: Timing.ages)))
        case .refusedInPart: #expect(failure { try call.value() }?.code == .invalidHandshake)
        default: break
        }
        // What is on its way has arrived.
        _ = MonotonicSemaphore().wait(until: Deadline(after: .milliseconds(50)))
        let work = try LoopWork(of: loop, during: .milliseconds(250))
        #expect(work.isQuiet, "\(work)")
        peer.server.stop()
        try? client.close(timeout: .zero)
        _ = try? call.value()
    }

    /// What the client does meanwhile.
    private static func call(_ client: WebSocketClient, _ state: State) throws {
        try client.connect()
        switch state {
        case .open: _ = try client.readMessage()
        case .unsent: try client.writeBinaryMessage([UInt8](repeating: 0, count: 32 << 20))
        case .closing: try client.close(timeout: Timing.ages)
        case .closedByPeer: _ = try client.readMessage()
        default: break
        }
    }
}

/// A server that brings a connection to a state and leaves it there.
private struct Peer {
    let server: RawServer
    let url: String
    /// The connection is where it is to be, as far as the server can tell.
    let isThere = MonotonicSemaphore()
    let mayEnd = MonotonicSemaphore()
    let hasEnded = MonotonicSemaphore()

    init(_ state: IdleLoopTests.State, _ isSecure: Bool) throws {
        let identity = try CertificateAuthority.shared.server(.good)
        let (isThere, mayEnd, hasEnded) = (isThere, mayEnd, hasEnded)
        // While TLS is negotiated, the server has none.
        server = try RawServer(tls: isSecure && state != .securing ? TLSIdentity(identity) : nil) { peer in
            switch state {
            case .resolving: return
            case .securing, .handshake:
                _ = peer.readSome(atMost: 1)
            case .refusedInPart:
                _ = try? peer.readRequestHead()
                peer.send("HTTP/1.1 401 Unauthorized\r\nContent-Length: 1000000\r\n\r\n")
                peer.send([UInt8](repeating: 65, count: 60_000))
            case .open: _ = try? peer.acceptUpgrade()
            case .unsent:
                _ = try? peer.acceptUpgrade()
                _ = peer.readSome(atMost: 1)
            case .paused, .resetWhilePaused, .endedWhilePaused:
                _ = try? peer.acceptUpgrade()
                isThere.signal()
                for _ in 0..<40 { peer.sendFrame(opcode: 2, [UInt8](repeating: 1, count: 30_000)) }
            case .closing:
                _ = try? peer.acceptUpgrade()
                _ = try? peer.readFrame()
            case .closedByPeer:
                _ = try? peer.acceptUpgrade()
                peer.sendFrame(opcode: 8, [3, 232])
                _ = try? peer.readFrame()
            }
            isThere.signal()
            if state == .resetWhilePaused || state == .endedWhilePaused {
                _ = mayEnd.wait(until: Deadline(after: Timing.ages))
                if state == .resetWhilePaused { peer.reset() } else { peer.closeConnection() }
                hasEnded.signal()
            }
            peer.hold()
        }
        url = isSecure ? server.secureURL() : server.url()
    }
}
