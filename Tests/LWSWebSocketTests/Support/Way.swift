// What a connection's frames go through.

import LWSServiceLoop
import TestSupport

@testable import LWSWebSocket

enum Way: String, CaseIterable {
    case plain, secure, compressed

    static let allCases: [Way] = [.plain, .secure] + (LibraryFeature.compression.isPresent ? [.compressed] : [])

    /// A server's, where it has one.
    func identity() throws -> TLSIdentity? {
        self == .secure ? try TLSIdentity(CertificateAuthority.shared.server(.good)) : nil
    }

    /// What a server adds to its answer to the upgrade.
    var answerLines: [String] { self == .compressed ? ["Sec-WebSocket-Extensions: permessage-deflate"] : [] }

    func configuration() throws -> ClientConfiguration {
        var configuration = self == .secure ? try ClientConfiguration.secure() : ClientConfiguration()
        configuration.webSocketCompressionEnabled = self == .compressed
        return configuration
    }
}
