// A scriptable TCP server, for everything that a well-behaved server would not do.

import Foundation
import LWSServiceLoop

/// Listens on loopback, on a port that the system chose, and runs `script` on a thread of its own for each
/// connection. A connection is closed when its script returns. ``stop()``, which dropping the server does too,
/// ends all connections and returns when every thread and descriptor is gone.
package final class RawServer: Sendable {
    package let port: Int
    private let host: String
    private let scheme: String
    private let shared: Shared
    private let acceptThread: LoopThread

    /// - Parameter tls: the server speaks TLS with it; scripts are run once a handshake is done.
    package init(
        host: String = "127.0.0.1", tls: TLSIdentity? = nil, _ script: @escaping @Sendable (RawConnection) -> Void
    ) throws {
        let listening = try Loopback.listen(on: host)
        let shared: Shared
        do {
            shared = try Shared(listener: listening.descriptor, tls, script)
        } catch {
            close(listening.descriptor)
            throw error
        }
        self.host = host
        scheme = tls == nil ? "ws" : "wss"
        self.shared = shared
        port = listening.port
        acceptThread = try LoopThread(name: "raw-server") { shared.acceptAll() }
    }

    deinit { stop() }

    var isSecure: Bool { scheme == "wss" }

    package func url(_ path: String = "/") -> String {
        "\(scheme)://\(host.contains(":") ? "[\(host)]" : host):\(port)\(path)"
    }

    /// Ends everything. A second call does nothing. A script must not call it, for it waits for the scripts' ends.
    package func stop() {
        guard shared.beginStop() else { return }
        acceptThread.join()
        shared.joinScripts()
    }

    /// What the threads share; they do not keep the server itself alive.
    private final class Shared: Sendable {
        private struct State {
            var isStopped = false
            var last = 0
            var sockets: [Int: SocketHandle] = [:]
            var running: [Int: LoopThread] = [:]
            var finished: [LoopThread] = []
        }

        private let listener: Int32
        private let wakeReader: Int32
        private let wakeWriter: Int32
        private let tls: TLSIdentity?
        private let script: @Sendable (RawConnection) -> Void
        private let state = Locked(State())
        private let stopped = MonotonicSemaphore()

        init(listener: Int32, _ tls: TLSIdentity?, _ script: @escaping @Sendable (RawConnection) -> Void) throws {
            var ends: [Int32] = [-1, -1]
            guard pipe(&ends) == 0 else { throw PeerError("pipe") }
            self.listener = listener
            self.tls = tls
            self.script = script
            (wakeReader, wakeWriter) = (ends[0], ends[1])
            for end in ends { Loopback.makePrivate(end) }
            // A connection that is gone again between poll and accept must not make accept block.
            _ = fcntl(listener, F_SETFL, O_NONBLOCK)
        }

        deinit {
            close(wakeReader)
            close(wakeWriter)
            close(listener)
        }

        /// False where somebody has stopped it before.
        func beginStop() -> Bool {
            let isFirst = state.withLock { state in
                defer { state.isStopped = true }
                return !state.isStopped
            }
            guard isFirst else { return false }
            var byte: UInt8 = 1
            _ = write(wakeWriter, &byte, 1)
            stopped.signal()
            return true
        }

        /// Called when nothing is accepted any more.
        func joinScripts() {
            let (sockets, threads) = state.withLock { state in
                (Array(state.sockets.values), Array(state.running.values))
            }
            for socket in sockets { socket.shutdown() }
            for thread in threads { thread.join() }
            joinFinished()
        }

        func acceptAll() {
            while waitForConnection() {
                joinFinished()
                let descriptor = accept(listener, nil, nil)
                guard descriptor >= 0 else { continue }
                _ = fcntl(descriptor, F_SETFL, 0)
                serve(SocketHandle(descriptor))
            }
            // A client that connects from here on is refused, not left in the backlog.
            shutdown(listener, Int32(SHUT_RDWR))
        }

        /// False when the server is stopped.
        private func waitForConnection() -> Bool {
            while true {
                var watched = [
                    pollfd(fd: wakeReader, events: Int16(POLLIN), revents: 0),
                    pollfd(fd: listener, events: Int16(POLLIN), revents: 0),
                ]
                let count = poll(&watched, 2, -1)
                if watched[0].revents != 0 { return false }
                if count > 0 { return true }
            }
        }

        private func serve(_ socket: SocketHandle) {
            // Nagle's algorithm would put together again what a script sends in pieces.
            socket.sendAtOnce()
            let connection = RawConnection(socket, stopped: stopped)
            state.withLock { state in
                state.last += 1
                let number = state.last
                // The thread's last act takes this lock too, so it cannot end before it is known here.
                let thread = try? LoopThread(name: "raw-script") { [self] in
                    if connection.secure(with: tls) { script(connection) }
                    socket.close()
                    finish(number)
                }
                guard let thread else { return socket.close() }
                state.sockets[number] = socket
                state.running[number] = thread
            }
        }

        private func finish(_ number: Int) {
            state.withLock { state in
                state.sockets[number] = nil
                // A stop may have taken the thread to join it already; after that nobody reads the list's rest.
                guard !state.isStopped, let thread = state.running.removeValue(forKey: number) else { return }
                state.finished.append(thread)
            }
        }

        /// Frees the threads that have ended since, so that a long test does not gather them.
        private func joinFinished() {
            let finished = state.withLock { state in
                defer { state.finished = [] }
                return state.finished
            }
            for thread in finished { thread.join() }
        }
    }
}
