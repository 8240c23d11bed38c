// The servers of a soak, which are killed.

import LWSServiceLoop
import TestSupport

/// The bundled echo server as a process of its own, always on the same port.
final class SoakServer: Sendable {
    let isSecure: Bool
    let port: Int
    private let process = Locked<PeerProcess?>(nil)
    private let count = Locked(0)

    var kills: Int { count.withLock { $0 } }
    var url: String { "\(isSecure ? "wss" : "ws")://127.0.0.1:\(port)/echo" }

    init(isSecure: Bool) throws {
        self.isSecure = isSecure
        port = try FreePort.find()
        try start()
    }

    private func start() throws {
        var arguments = ["--port", "\(port)"]
        if isSecure {
            let identity = try CertificateAuthority.shared.server(.good)
            arguments += ["--tls-cert", identity.chainFile, "--tls-key", identity.privateKeyFile]
        }
        let started = try PeerProcess(BuiltProgram.path("lws-echo-server"), arguments)
        _ = try started.waitForLine("listening on ")
        process.withLock { $0 = started }
    }

    func kill() {
        let running = process.withLock { process in
            defer { process = nil }
            return process
        }
        running?.kill()
    }

    /// Kills it, and starts it again after a while.
    func restart(after pause: Duration, _ soak: Soak) {
        kill()
        count.withLock { $0 += 1 }
        _ = MonotonicSemaphore().wait(until: Deadline(after: pause))
        do { try start() } catch { soak.fail("the server did not start again: \(error)") }
    }
}
