// Signals.

import Foundation
import LWSEchoServer
import TestSupport
import Testing

@Suite("Signals", .serialized)
struct SignalTests {
    /// Sends the signal, and returns how lwscat ends and how long that takes.
    private func end(
        _ running: Cat.Running, by signal: Int32
    ) throws -> (exit: PeerProcess.Exit, time: Duration) {
        let start = ContinuousClock.now
        running.process.send(signal: signal)
        let exit = try running.process.waitForExit()
        return (exit, ContinuousClock.now - start)
    }

    @Test("close with 1000 and end with 0 at once", arguments: [SIGINT, SIGTERM, SIGHUP])
    func open(signal: Int32) throws {
        let server = try ScriptedServer()
        _ = try Cat(server.url(), input: .open).started { running in
            _ = try server.connection()
            try server.send("up")
            _ = eventually { running.output == "up\n" }
            let (exit, time) = try end(running, by: signal)
            #expect(exit == .code(0))
            #expect(time < Timing.atOnce)
            return exit
        }
        #expect(try server.close().payload == [3, 232])
    }

    @Test("end within a second where the server does not answer the close")
    func silentServer() throws {
        // The server has 600 ms for its answer, whatever it has of them otherwise.
        let kept = try Punctuality(
            of: .milliseconds(600),
            attempt: {
                let server = try ScriptedServer(answersClose: false)
                var time = Duration.zero
                _ = try Cat("--close-timeout", "60", server.url(), input: .open).started { running in
                    try server.send("up")
                    _ = eventually { running.output == "up\n" }
                    let ended = try end(running, by: SIGINT)
                    #expect(ended.exit == .code(0))
                    time = ended.time
                    return ended.exit
                }
                return time
            })
        #expect(kept.isKept, "\(kept)")
    }

    @Test("end at once where nobody takes the output")
    func heldOutput() throws {
        let server = try EchoServer()
        let folder = try TemporaryFolder("lwscat-held")
        guard mkfifo(folder.file("output"), 0o600) == 0 else { throw PeerError("mkfifo") }
        // Opened for reading too, so that it can be opened at all; but nobody reads.
        let command = try Shell.command(["--keep-open", server.url("/push/100000/1000")])
        let process = try PeerProcess(
            "/bin/sh", ["-c", "exec \(command) < /dev/null 1<> \(Shell.quoted(folder.file("output")))"])
        #expect(eventually { server.connectionCount == 1 })
        let start = ContinuousClock.now
        process.send(signal: SIGINT)
        _ = try process.waitForExit()
        #expect(ContinuousClock.now - start < Timing.atOnce)
    }

    @Test("end at once and with 2 while it connects")
    func connecting() throws {
        let arrived = Flag()
        let server = try RawServer { peer in
            _ = try? peer.readRequestHead()
            arrived.set()
            peer.waitForEnd()
        }
        _ = try Cat(server.url(), input: .open).started { running in
            try arrived.wait()
            let (exit, time) = try end(running, by: SIGINT)
            #expect(exit == .code(2))
            #expect(time < Timing.atOnce)
            return exit
        }
    }

    @Test("end at once while it waits to connect again")
    func retrying() throws {
        let port = try FreePort.find()
        let options = ["-v", "--retry", "0", "--retry-interval", "600", "--retry-max-wait", "600"]
        var cat = Cat("ws://127.0.0.1:\(port)/")
        cat.arguments += options
        _ = try cat.started { running in
            _ = eventually { running.errors.contains("attempt 1") }
            let (exit, time) = try end(running, by: SIGINT)
            #expect(exit == .code(2))
            #expect(time < Timing.atOnce)
            return exit
        }
    }
}
