// What a network does to a connection.

import LWSServiceLoop

/// Stands between a client and a server and passes bytes on, as slowly, in as small pieces and as far as it is told.
///
/// It knows nothing of what it passes. ``stop()``, which dropping it does too, ends all connections.
package final class FaultRelay: Sendable {
    /// What happens to the bytes of one direction.
    package struct Direction: Sendable {
        /// Bytes that are passed on at once.
        package var chunk: Int
        /// How long each of them takes.
        package var latency: Duration
        /// Bytes of a connection after which the fault happens; `nil`: none does.
        package var limit: Int?

        package init(chunk: Int = 16384, latency: Duration = .zero, limit: Int? = nil) {
            self.chunk = chunk
            self.latency = latency
            self.limit = limit
        }
    }

    /// What happens when a limit is reached.
    package enum Fault: Sendable, CaseIterable {
        /// Both sides get a RST.
        case reset
        /// Both sides get a FIN.
        case end
        /// Nothing any more, in either direction.
        case silence
    }

    private struct State {
        var upstream = 0
        var downstream = 0
        var faults = 0
        var isSilent = false
    }

    private let server: RawServer
    private let state: Locked<State>

    /// - Parameters:
    ///   - port: the server's, on 127.0.0.1.
    ///   - upstream: the direction from the client to the server.
    package init(
        to port: Int, upstream: Direction = Direction(), downstream: Direction = Direction(), fault: Fault = .reset
    ) throws {
        let state = Locked(State())
        self.state = state
        server = try RawServer { client in
            guard let peer = try? RawClient(port: port).connection else { return }
            let path = Path(client: client, server: peer, fault: fault, state: state)
            let back = try? Background { path.pass(from: peer, to: client, downstream, \.downstream) }
            path.pass(from: client, to: peer, upstream, \.upstream)
            if path.isSilent {
                client.hold()
                peer.closeConnection()
            }
            _ = try? back?.value(within: .seconds(60))
            peer.closeConnection()
        }
    }

    deinit { stop() }
    package func stop() { server.stop() }

    package var port: Int { server.port }

    /// Bytes that have gone each way, of all connections.
    package var passed: (upstream: Int, downstream: Int) {
        state.withLock { ($0.upstream, $0.downstream) }
    }

    /// Connections that a limit has ended or silenced.
    package var faults: Int { state.withLock { $0.faults } }

    /// From now on nothing goes through, and nobody is told.
    package func fallSilent() { state.withLock { $0.isSilent = true } }

    /// One connection through the relay.
    private struct Path: Sendable {
        let client: RawConnection
        let server: RawConnection
        let fault: Fault
        let state: Locked<State>
        private let pause = MonotonicSemaphore()

        init(client: RawConnection, server: RawConnection, fault: Fault, state: Locked<State>) {
            self.client = client
            self.server = server
            self.fault = fault
            self.state = state
        }

        var isSilent: Bool { state.withLock { $0.isSilent } }

        func pass(
            from source: RawConnection, to destination: RawConnection, _ direction: Direction,
            _ count: any WritableKeyPath<State, Int> & Sendable
        ) {
            var left = direction.limit ?? .max
            while left > 0 {
                let bytes = source.readSome(atMost: min(direction.chunk, left))
                guard !isSilent else { return }
                guard !bytes.isEmpty else { return destination.endOutput() }
                if direction.latency > .zero { _ = pause.wait(until: Deadline(after: direction.latency)) }
                guard destination.send(bytes) else { return source.closeConnection() }
                state.withLock { $0[keyPath: count] += bytes.count }
                left -= bytes.count
            }
            strike()
        }

        private func strike() {
            state.withLock { state in
                state.faults += 1
                if fault == .silence { state.isSilent = true }
            }
            switch fault {
            case .silence: break
            case .reset:
                client.reset()
                server.reset()
            case .end:
                client.endOutput()
                server.endOutput()
            }
        }
    }
}
