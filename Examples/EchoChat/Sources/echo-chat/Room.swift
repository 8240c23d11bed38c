// What the echo server does not do: one member's words reach the others.

import Foundation
import LWSWebSocket

/// The members that are simulated in this process. What the server echoes to one of them is shown to all, on the terminal.
final class Room: @unchecked Sendable {
    // Safe to share: `members` belongs to the thread that runs the chat, `shown` is touched with the condition's lock held.
    private let url: String
    private var members: [String: Member] = [:]
    private let condition = NSCondition()
    private var shown = 0

    init(url: String) { self.url = url }

    /// Has a member say something, who joins first where they have not. Returns when it has come back and is shown.
    func say(_ text: String, as name: String) throws {
        let member = try member(name)
        let before = count
        try member.say(text)
        wait(for: before + 1)
    }

    /// Ends all connections, in the order of the names.
    func close() throws {
        for name in members.keys.sorted() {
            let before = count
            try members[name]?.leave()
            wait(for: before + 1)
        }
        members = [:]
    }

    private func member(_ name: String) throws -> Member {
        if let member = members[name] { return member }
        let member = try Member(name, url: url) { [self] message in
            show("\(message.name): \(message.text)")
        } leave: { [self] error in
            show("(\(name) has left: \(error.closure?.code ?? 0))")
        }
        members[name] = member
        show("(\(name) joins)")
        return member
    }

    private func show(_ line: String) {
        condition.lock()
        print(line)
        shown += 1
        condition.broadcast()
        condition.unlock()
    }

    private var count: Int {
        condition.lock()
        defer { condition.unlock() }
        return shown
    }

    private func wait(for count: Int) {
        condition.lock()
        while shown < count { condition.wait() }
        condition.unlock()
    }
}
