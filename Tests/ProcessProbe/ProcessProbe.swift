// A client in a process of its own, for what a test cannot do to the one that it runs in.

import Foundation
import LWSServiceLoop
import LWSWebSocket

/// The environment says what it does, by PROBE_MODE, and where to, by PROBE_URL. Not the arguments, of which Swift sees none
/// beside libfaketime.
@main
struct ProcessProbe {
    static func main() throws {
        let environment = ProcessInfo.processInfo.environment
        let url = environment["PROBE_URL"] ?? ""
        switch environment["PROBE_MODE"] {
        case "waits": try waits(url, closed: environment["PROBE_CLOSED"] ?? "")
        case "suspended": try suspended(url)
        case "hours": try hours(url, root: environment["PROBE_ROOT"])
        case "short": try short(url, root: environment["PROBE_ROOT"], file: environment["SHORTAGE_FILE"] ?? "")
        case "crowd": try Crowd.write(url) { say("writer \($0) \($1)") }
        case "reuse":
            try Crowd.reuse(url)
            say("end done")
        case "interrupted": try Interrupted.readUntilInterrupted(url)
        case "returns": try Interrupted.returnAtTheEnd(url)
        default:
            say("PROBE_MODE has to be set")
            exit(2)
        }
    }

    /// Waits in the ways in which a client waits, each after a line that says so, and then writes how long it took. The test
    /// steps the wall clock in between.
    /// - Parameter closed: where nobody listens.
    private static func waits(_ url: String, closed: String) throws {
        var patient = ClientConfiguration()
        patient.readTimeout = .milliseconds(600)
        let client = try WebSocketClient(url, configuration: patient)
        measure("read") { _ = try client.readMessage() }

        var pinging = ClientConfiguration()
        pinging.pingInterval = .milliseconds(100)
        pinging.pongTimeout = .seconds(60)
        let kept = try WebSocketClient(url, configuration: pinging)
        measure("idle") { _ = MonotonicSemaphore().wait(until: Deadline(after: .milliseconds(600))) }
        try kept.writeTextMessage("still there")
        say("echo \(try kept.readTextMessage())")

        var retrying = ClientConfiguration()
        retrying.retryConfig = WebSocketRetryConfig(maxCount: 1, interval: .milliseconds(600))
        measure("retry") { _ = try WebSocketClient(closed, configuration: retrying) }
        say("end")
    }

    /// Asks for a message again and again, and has an hour for each.
    private static func suspended(_ url: String) throws {
        var configuration = ClientConfiguration()
        configuration.readTimeout = .seconds(3600)
        configuration.pongTimeout = .seconds(3600)
        configuration.pingInterval = .seconds(3600)
        let client = try WebSocketClient(url, configuration: configuration)
        do {
            for _ in 0..<20 {
                try client.writeTextMessage("go")
                _ = try client.readTextMessage()
            }
            say("end done")
        } catch {
            say("end \(error.code)")
        }
    }

    /// Wants a connection while the system is short of something, which it is for as long as the file is there: once, and
    /// again after each of five losses.
    /// - Parameter root: whom to trust, in a file.
    private static func short(_ url: String, root: String?, file: String) throws {
        var configuration = trusting(root)
        _ = FileManager.default.createFile(atPath: file, contents: nil)
        do {
            _ = try WebSocketClient(url, configuration: configuration)
        } catch {
            say("short \(error.code) \(error.isRetriable) \(error)")
        }
        try FileManager.default.removeItem(atPath: file)
        configuration.retryConfig = WebSocketRetryConfig(interval: .milliseconds(1)) { event in
            // The first is for the loss.
            guard event.attempt > 0 else {
                _ = FileManager.default.createFile(atPath: file, contents: nil)
                return
            }
            say("short \(event.error.code) \(event.error.isRetriable) \(event.error)")
            try? FileManager.default.removeItem(atPath: file)
        }
        let client = try WebSocketClient(url, configuration: configuration)
        while try client.readTextMessage() != "connection 6" {}
        try client.close()
        say("end done")
    }

    /// Has a connection that the peer keeps from the sixth on, and sends on it 120 times.
    /// - Parameter root: whom to trust, in a file.
    private static func hours(_ url: String, root: String?) throws {
        var configuration = trusting(root)
        let another = configuration
        configuration.retryConfig = WebSocketRetryConfig(maxCount: 5, interval: .milliseconds(1))
        do {
            let client = try WebSocketClient("\(url)kept", configuration: configuration)
            while try client.readTextMessage() != "connection 6" {}
            for _ in 0..<120 {
                try client.writeTextMessage("go")
                _ = try client.readTextMessage()
                // Has lws look at everything, as it does once a minute.
                try WebSocketClient("\(url)another", configuration: another).close()
            }
            try client.close()
            say("end done")
        } catch {
            say("end \(error)")
        }
    }

    /// - Parameter root: in a file.
    private static func trusting(_ root: String?) -> ClientConfiguration {
        var configuration = ClientConfiguration()
        if let root {
            configuration.secureSocket = ClientSecureSocket()
            configuration.secureSocket?.cert = .pem(.file(root))
        }
        return configuration
    }

    /// The time by a clock that nobody steps, and by the one on the wall.
    private static func measure(_ name: String, _ body: () throws -> Void) {
        say("begin \(name)")
        let (start, wall) = (ContinuousClock.now, Date.now)
        var outcome = "done"
        do {
            try body()
        } catch {
            outcome = (error as? WebSocketError).map { "\($0.code)" } ?? "\(error)"
        }
        let time = ContinuousClock.now - start
        let milliseconds = Int(time / .milliseconds(1))
        say("\(name) \(outcome) \(milliseconds) \(Int(Date.now.timeIntervalSince(wall)))")
    }

    private static func say(_ line: String) {
        print(line)
        fflush(nil)
    }
}
