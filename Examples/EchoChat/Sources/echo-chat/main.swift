// The terminal: each line is "NAME: TEXT".

import Foundation
import LWSEchoServer

do {
    let server = try EchoServer(EchoServer.Configuration(subProtocols: ["chat.v1"]))
    let room = Room(url: CommandLine.arguments.dropFirst().first ?? server.url())
    print("Write NAME: TEXT, and end with Control-D.")
    while let line = readLine() {
        let parts = line.split(separator: ":", maxSplits: 1).map { $0.trimmingCharacters(in: .whitespaces) }
        guard parts.count == 2, !parts[0].isEmpty, !parts[1].isEmpty else {
            print("(NAME: TEXT, please)")
            continue
        }
        try room.say(parts[1], as: parts[0])
    }
    try room.close()
    server.stop()
} catch {
    print("echo-chat: \(error)")
    exit(1)
}
