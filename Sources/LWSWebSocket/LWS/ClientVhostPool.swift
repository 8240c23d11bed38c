// The vhosts of a loop, shared by the clients that want the same of them.

internal import LWSServiceLoop

/// What a vhost decides for all its connections, because lws reads it from there while they are made.
struct VhostKey: Sendable, Hashable {
    /// The port of the proxy, where there is one.
    var proxyPort: Int?
    /// What connections over TLS are made from; `nil` without TLS.
    var tls: TLSContext?

    /// What most clients have.
    static let plain = VhostKey()
}

/// A vhost for each key that a client has, until the last of them is gone. The plain one stays with the loop.
final class ClientVhostPool: LoopResident {
    private struct Entry {
        let vhost: ClientVhost
        var users = 0
    }

    private var entries: [VhostKey: Entry] = [:]

    init?(_ held: borrowing HeldLoop) {
        guard let plain = ClientVhost(.plain, held) else { return nil }
        entries[.plain] = Entry(vhost: plain)
        watchers = plain
    }

    /// Where the watchers of descriptors live: they end a moment after the client that they watch for.
    let watchers: ClientVhost

    /// The vhost for `key`, to be given back with ``release(_:_:)``; `nil` where lws refuses to make it.
    func acquire(_ key: VhostKey, _ held: borrowing HeldLoop) -> ClientVhost? {
        guard var entry = entries[key] ?? ClientVhost(key, held).map({ Entry(vhost: $0) }) else { return nil }
        entry.users += 1
        entries[key] = entry
        return entry.vhost
    }

    /// A client is gone. Not called from inside a callback of its connection, which still counts for the vhost.
    func release(_ key: VhostKey, _ held: borrowing HeldLoop) {
        guard var entry = entries[key] else { return }
        entry.users -= 1
        guard entry.users == 0, key != .plain else {
            entries[key] = entry
            return
        }
        entries[key] = nil
        entry.vhost.destroy(held)
    }

    /// For tests.
    var count: Int { entries.count }
}
