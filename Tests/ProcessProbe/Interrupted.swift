// Programs that end when they are interrupted.

import Foundation
import LWSWebSocket

enum Interrupted {
    /// As the README shows it.
    static func readUntilInterrupted(_ url: String) throws {
        // sample: closing-on-sigint
        // where url is shown as "wss://example.com/feed"
        var interrupt = sigset_t()
        sigemptyset(&interrupt)
        sigaddset(&interrupt, SIGINT)
        pthread_sigmask(SIG_BLOCK, &interrupt, nil)  // before there are other threads, which inherit it

        let client = try WebSocketClient(unconnected: url)
        Thread.detachNewThread { [interrupt] in
            var (awaited, signal) = (interrupt, Int32(0))
            sigwait(&awaited, &signal)
            try? client.close(statusCode: 1001, timeout: .seconds(3))
        }

        do {
            try client.connect()
            while true { print(try client.readTextMessage()) }
        } catch {
            print("the end:", error)  // after SIGINT too, when the close frame has left
        }
        try client.close(timeout: .seconds(3))  // waits for the server's answer, with the close above
        // sample end
    }

    /// Does not wait for anything when its reader is told of the end: whoever closes.
    static func returnAtTheEnd(_ url: String) throws {
        var interrupt = sigset_t()
        sigemptyset(&interrupt)
        sigaddset(&interrupt, SIGINT)
        pthread_sigmask(SIG_BLOCK, &interrupt, nil)
        let client = try WebSocketClient(unconnected: url)
        Thread.detachNewThread { [interrupt] in
            var (awaited, signal) = (interrupt, Int32(0))
            sigwait(&awaited, &signal)
            try? client.close(statusCode: 1001)
        }
        try client.connect()
        while (try? client.readTextMessage()) != nil {}
        exit(0)
    }
}
