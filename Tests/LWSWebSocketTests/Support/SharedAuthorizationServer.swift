// One authorization server for many tests: starting its Python takes most of a second.

import TestSupport

/// A server over TLS that runs from the first test that asks for it to the end of the process. For tests that change
/// nothing about it, and that run one after the other.
enum SharedAuthorizationServer {
    private static let server = Result {
        try AuthorizationServer(tls: try CertificateAuthority.shared.server(.good))
    }

    /// It, without what it remembered of earlier tests' requests.
    static func cleared() throws -> AuthorizationServer {
        let server = try server.get()
        try server.clear()
        return server
    }
}
