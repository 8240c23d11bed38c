// Servers over TLS that the tests of a suite share.

import LWSServiceLoop
import Testing

@testable import LWSWebSocket

/// Servers over TLS, each started when it is first asked for. There are some for as long as the tests of a suite with
/// the trait ``SharedSecurePeers`` run.
final class SecurePeers: Sendable {
    private struct Key: Hashable {
        let kind: SecurePeer.Kind
        let options: SecurePeer.Options
    }

    @TaskLocal fileprivate static var shared: SecurePeers?

    /// Those of the suite that the current test is in.
    static var current: SecurePeers {
        get throws { try #require(shared, "the suite lacks the trait .sharedSecurePeers") }
    }

    /// The loop of all clients of these servers.
    let loop = WebSocketLoop()
    private let peers = Locked<[Key: SecurePeer]>([:])

    fileprivate init() {}

    /// The server that is like this. Blocks for as long as it takes to start, and others with it.
    func server(_ kind: SecurePeer.Kind, _ options: SecurePeer.Options) throws -> SecurePeer {
        let key = Key(kind: kind, options: options)
        return try peers.withLock { peers in
            if let peer = peers[key] { return peer }
            let peer = try SecurePeer(kind, options)
            peers[key] = peer
            return peer
        }
    }
}

/// Has the tests of a suite, and of those inside it, share servers, which end after the last of them.
struct SharedSecurePeers: SuiteTrait, TestScoping {
    func provideScope(
        for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void
    ) async throws {
        try await SecurePeers.$shared.withValue(SecurePeers(), operation: function)
    }
}

extension Trait where Self == SharedSecurePeers {
    static var sharedSecurePeers: Self { SharedSecurePeers() }
}
