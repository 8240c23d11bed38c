// The OCSP answers that tests are given are what they are said to be, and reach the client.

import Foundation
import TestSupport
import Testing

@Suite("Stapled OCSP answers")
struct StapleTests {
    typealias Response = CertificateAuthority.StapledResponse

    @Test("Each answer says, or fails, as it is made for", arguments: Response.allCases)
    func responses(response: Response) throws {
        let authority = try CertificateAuthority.shared
        for leaf in [CertificateAuthority.ServerLeaf.good, .issuedByRoot] {
            let identity = try authority.server(leaf)
            let file = try authority.stapleFile(response, for: identity)
            let (_, output) = try OpenSSLCommand.attempt([
                "ocsp", "-respin", file, "-issuer", identity.issuerFile, "-cert", identity.certificateFile,
                "-CAfile", authority.rootFile, "-verify_other", identity.issuerFile, "-no_nonce",
            ])
            let (verifies, status): (Bool, String) =
                switch response {
                case .good, .delegated: (true, ".pem: good")
                case .revoked: (true, ".pem: revoked")
                case .unknown: (true, ".pem: unknown")
                case .expired: (true, "status expired")
                case .notDelegated, .otherAuthority: (false, ".pem: good")
                case .otherCertificate: (true, "No Status found")
                }
            #expect(output.contains("Response verify OK") == verifies, "\(output)")
            #expect(output.contains(status), "\(output)")
            if response != .expired { #expect(!output.contains("status expired")) }
        }
    }

    @Test("nginx staples the answer that it is given", arguments: [Response.good, .revoked, .expired])
    func stapling(response: Response) throws {
        let authority = try CertificateAuthority.shared
        let identity = try authority.server(.good)
        let file = try authority.stapleFile(response, for: identity)
        let nginx = try NginxServer(upstream: FreePort.find(), identity: identity) { $0.stapleFile = file }
        let (_, output) = try OpenSSLCommand.attempt(["s_client", "-connect", "127.0.0.1:\(nginx.port)", "-status"])
        #expect(output.contains("OCSP Response Status: successful"))
        #expect(output.contains("Cert Status: \(response == .revoked ? "revoked" : "good")"))
    }

    @Test("A certificate of another authority has no answer")
    func otherIssuer() throws {
        let authority = try CertificateAuthority.shared
        for leaf in [CertificateAuthority.ServerLeaf.unknownRoot, .selfSigned] {
            #expect(throws: PeerError.self) { try authority.stapleFile(.good, for: authority.server(leaf)) }
        }
    }
}
