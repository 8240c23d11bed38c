// What all tests of TLS against three makes of servers have in common, and what a loop has to stand.

import TestSupport
import Testing

@testable import LWSWebSocket

/// The suites inside it cross their cases with every make of server. Each case that is accepted exchanges a megabyte
/// both ways; each that is refused has its own words.
@Suite("Over TLS, with every make of server,", .serialized, .sharedSecurePeers)
struct SecureMatrix {
    @Test("a loop that sees refusals goes on with its connections, old and new", arguments: SecurePeer.Kind.allCases)
    func bystander(kind: SecurePeer.Kind) throws {
        let bystander = try SecureAttempt().connect(to: kind)
        let refusals = SecureMatrix.Certificates.refused + SecureMatrix.Hosts.refused + SecureMatrix.Trust.refused
        for refusal in refusals {
            let attempt = try refusal.attempt()
            #expect(failure { try attempt.connect(to: kind) }?.code == .ssl, "\(refusal.testDescription)")
            try bystander.writeTextMessage("and on")
            #expect(try bystander.readTextMessage() == "and on")
        }
        try SecureExchange.run(bystander)
        try SecureExchange.run(try SecureAttempt().connect(to: kind))
    }
}
