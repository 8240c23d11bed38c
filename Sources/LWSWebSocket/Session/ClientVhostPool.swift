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

/// A vhost for each key that a client has, and for those that the last of them has left a moment ago. The plain one stays with
/// the loop.
///
/// Who makes one client after the other with the same settings would have lws and OpenSSL start from nothing each time: to
/// connect over TLS took 3.6 ms in place of 2.8.
final class ClientVhostPool: LoopResident {
    private struct Entry {
        let vhost: ClientVhost
        var users = 0
        /// When the last user has gone.
        var idleSince = LoopClock.now
    }

    private var entries: [VhostKey: Entry] = [:]
    /// Ends those that have been idle for long.
    private lazy var timer = LoopTimer { [unowned self] held in endIdle(held) }

    /// How long a vhost waits for another user, at most twice that.
    private static let linger = Duration.milliseconds(500)
    /// How many do.
    private static let mostIdle = 8

    init?(_ held: borrowing HeldLoop) {
        guard let plain = ClientVhost(.plain, held) else { return nil }
        // A user that never goes.
        entries[.plain] = Entry(vhost: plain, users: 1)
        watchers = plain
        // lws asks by LWS_CALLBACK_GET_THREAD_ID, which tells what it waits for, once it has had a pass with a vhost
        // (plat/unix/unix-service.c: service_tid_detected).
        held.noteWork()
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
        entry.idleSince = LoopClock.now
        entries[key] = entry
        guard entry.users == 0 else { return }
        if entries.values.count(where: { $0.users == 0 }) > Self.mostIdle { return end(key, held) }
        armTimer(held)
    }

    private func endIdle(_ held: borrowing HeldLoop) {
        let now = LoopClock.now
        let idle = entries.filter { $0.value.users == 0 }
        let old = idle.filter { $0.value.idleSince.duration(to: now) >= Self.linger }
        for key in old.keys { end(key, held) }
        if old.count < idle.count { armTimer(held) }
    }

    private func armTimer(_ held: borrowing HeldLoop) {
        if !timer.isArmed { timer.arm(after: Self.linger, held) }
    }

    private func end(_ key: VhostKey, _ held: borrowing HeldLoop) {
        entries.removeValue(forKey: key)?.vhost.destroy(held)
        held.noteWork()
    }

    func loopEnds(_ held: borrowing HeldLoop) { timer.cancel(held) }

    /// For tests.
    var count: Int { entries.count }
}
