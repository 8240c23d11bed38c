// What is left behind after many requests for tokens.

import LWSServiceLoop
import TestSupport
import Testing

@testable import LWSWebSocket

@Suite("Nothing is left behind of tokens", .serialized)
struct TokenLeakTests {
    @Test("by clients that fetch one each, and by requests that fail in each way")
    func requests() throws {
        let server = try AuthorizationServer(tls: try CertificateAuthority.shared.server(.good))
        defer { server.stop() }
        let port = try FreePort.find()
        let paths = ["/trouble/html", "/trouble/huge", "/trouble/truncated", "/trouble/redirect", "/trouble/slow"]
        let good = try GrantKind.clientCredentials.grant(server)
        let failing = paths.map { path in
            var grant = good
            grant.tokenUrl = server.tokenURL(path, host: "127.0.0.1")
            if path == "/trouble/slow" { grant.clientConfig.timeout = .milliseconds(20) }
            return grant
        }
        var down = good
        down.tokenUrl = "https://127.0.0.1:\(port)/"
        try expectNoGrowth(40, warmUp: 40) { index in
            let client = try TokenCase(server, good).connect()
            try client.exchange("\(index)")
            try client.close()
            for grant in failing + [down] {
                #expect(failure { try TokenCase(server, grant).connect() }?.code == .auth)
            }
        }
        #expect(eventually { TLSContextPool.shared.count == 0 })
    }
}
