// The command: follows a feed, or shows how it survives its server.

import Foundation
import LWSWebSocket
import Logging

LibwebsocketsLog.setLevel(.error)  // a server that cannot be reached is expected here

let arguments = Array(CommandLine.arguments.dropFirst())
do {
    switch arguments.first {
    case "serve": try FeedServer.serve(port: arguments.dropFirst().first.flatMap { Int($0) } ?? 0)
    case "demo": try demonstrate()
    case .some(let url): try follow(url)
    case nil: print("usage: price-feed URL | price-feed demo | price-feed serve [PORT]")
    }
} catch {
    print("price-feed: \(error)")
    exit(1)
}

/// Prints every tick of a feed, until the program is ended.
func follow(_ url: String) throws {
    let feed = PriceFeed(url: url) { print("the feed stands still: \($0)") }
    try feed.follow { tick in
        print(tick.number, tick.price)
        return true
    }
}

/// Three servers on one port, one after the other: the first is killed, the second stopped.
func demonstrate() throws {
    let journal = Journal()
    var server = try FeedServerProcess()
    let port = server.port
    print("the server listens")
    Thread.detachNewThread {
        let feed = PriceFeed(url: "ws://127.0.0.1:\(port)/push/20/3") { journal.note("loss: \($0.code)") }
        var sets = 0
        do throws(WebSocketError) {
            try feed.follow { tick in
                guard tick.number == 19 else { return true }
                sets += 1
                journal.note("ticks 0 to 19, the last at \(tick.price)")
                return sets < 3
            }
            journal.note("end: the feed was closed")
        } catch {
            journal.note("end: \(error)")
        }
    }
    print(journal.wait(for: "ticks"))

    server.kill()
    print("the server was killed")
    print(journal.wait(for: "loss"))
    server = try FeedServerProcess(port: port)
    print("the server is back")
    print(journal.wait(for: "ticks"))

    server.stop()
    print("the server was stopped")
    print(journal.wait(for: "loss"))
    server = try FeedServerProcess(port: port)
    print("the server is back")
    print(journal.wait(for: "ticks"))
    print(journal.wait(for: "end"))
    server.stop()
}
