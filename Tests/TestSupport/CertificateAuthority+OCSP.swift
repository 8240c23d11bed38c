// Answers of an OCSP responder, as servers staple them.

import Foundation

extension CertificateAuthority {
    /// What an answer says, and who signed it. It is signed by the one that issued the certificate, and valid from now
    /// for three days, unless something else is said.
    package enum StapledResponse: String, Sendable, CaseIterable {
        case good
        /// Revoked a day ago, for the reason "key compromise". The leaf itself need not be in a revocation list.
        case revoked
        /// The responder does not know the certificate.
        case unknown
        /// Good, but its next update was due a day ago.
        case expired
        /// Good, signed by a responder that the issuer has delegated this to (extended key usage OCSPSigning).
        case delegated
        /// Good, signed by a certificate of the same issuer that has not been delegated to: a server's.
        case notDelegated
        /// Good, signed by a root that has nothing to do with it; its certificate is inside.
        case otherAuthority
        /// Good, and rightly signed, but about another certificate of the same issuer.
        case otherCertificate
    }

    /// The path of an answer in DER about a certificate of root or intermediate, for ``NginxServer`` to staple.
    package func stapleFile(_ response: StapledResponse, for leaf: TestIdentity) throws -> String {
        let issuer = leaf.issuerFile == rootFile ? root : intermediate
        guard leaf.issuerFile == issuer.certificateFile, leaf.name != "server-selfSigned" else {
            throw PeerError("\(leaf.name) is issued by neither root nor intermediate")
        }
        return try file("\(leaf.name).\(response).ocsp") { output in
            let signer = try signer(of: response, issuer: issuer)
            let subject = response == .otherCertificate ? try responder(of: issuer, isDelegated: false) : leaf
            // Only the serial number matters in the responder's list.
            // Years have two digits here.
            let (revoked, expiry) = (CertificateIssuer.time(-1).dropFirst(2), CertificateIssuer.time(30).dropFirst(2))
            let (letter, date) = response == .revoked ? ("R", "\(revoked),keyCompromise") : ("V", "")
            let line = "\(letter)\t\(expiry)\t\(date)\t\(try subject.serialNumber())\tunknown\t/CN=any\n"
            let index = try folder.write(response == .unknown ? "" : line, to: "ocsp.index")
            try OpenSSLCommand.run([
                "ocsp", "-index", index, "-CA", issuer.certificateFile, "-rsigner", signer.certificate,
                "-rkey", signer.key, "-issuer", issuer.certificateFile, "-cert", subject.certificateFile,
                "-no_nonce", "-noverify", "-ndays", "3", "-respout", output,
            ])
            if response == .expired { try age(output, key: signer.key) }
        }
    }

    private func signer(
        of response: StapledResponse, issuer: CertificateIssuer
    ) throws -> (certificate: String, key: String) {
        switch response {
        case .delegated, .notDelegated:
            let identity = try responder(of: issuer, isDelegated: response == .delegated)
            return (identity.certificateFile, identity.privateKeyFile)
        case .otherAuthority:
            let other = try otherRoot()
            return (other.certificateFile, other.privateKeyFile)
        default: return (issuer.certificateFile, issuer.privateKeyFile)
        }
    }

    private func responder(of issuer: CertificateIssuer, isDelegated: Bool) throws -> TestIdentity {
        let name = "\(isDelegated ? "responder" : "bystander")-of-\(issuer.folder.lastPathComponent)"
        return try identity(name, issuer: issuer) { certificate, key in
            let purpose = isDelegated ? "OCSPSigning" : "serverAuth"
            try issuer.issue(
                .init(subject: "/CN=\(name)", extensions: Self.leafExtensions(purpose)),
                certificate: certificate, key: key)
        }
    }

    /// Moves the times of an answer into the past and signs it anew: `openssl ocsp` makes answers from now on only.
    ///
    /// RFC 6960, section 4.2.1: OCSPResponse holds, in [0], ResponseBytes; these hold, in an OCTET STRING, the
    /// BasicOCSPResponse, which is ResponseData, signature algorithm, signature, certificates.
    private func age(_ file: String, key: String) throws {
        let place = URL(fileURLWithPath: file)
        guard var response = try DERElement.sequence(Array(Data(contentsOf: place))).first else {
            throw PeerError("an empty OCSP response")
        }
        try response.edit { response in
            try response[1].edit { bytes in
                try bytes[0].edit { typeAndValue in
                    try typeAndValue[1].edit { basic in
                        try basic[0].edit { try self.sign(&$0, key: key) }
                    }
                }
            }
        }
        try Data(response.bytes).write(to: place)
    }

    private func sign(_ basic: inout [DERElement], key: String) throws {
        // producedAt, thisUpdate and nextUpdate, in this order, as GeneralizedTime.
        basic[0] = try Self.replacingTimes(in: basic[0], by: [-3, -3, -1])
        let (data, signature) = (folder.url.appendingPathComponent("ocsp.data"), folder.file("ocsp.signature"))
        try Data(basic[0].bytes).write(to: data)
        try OpenSSLCommand.run(["dgst", "-sha256", "-sign", key, "-out", signature, data.path])
        // A BIT STRING begins with the count of bits that are not used.
        basic[2].content = try [0] + Array(Data(contentsOf: URL(fileURLWithPath: signature)))
    }

    private static func replacingTimes(in element: DERElement, by days: [Double]) throws -> DERElement {
        var bytes = element.bytes
        var days = days[...]
        // Tag 0x18, 15 bytes: "20260102030405Z".
        for index in bytes.indices.dropLast(16) where bytes[index] == 0x18 && bytes[index + 1] == 15 {
            guard bytes[index + 16] == UInt8(ascii: "Z"), let day = days.popFirst() else { continue }
            bytes.replaceSubrange(index + 2..<index + 17, with: Array(CertificateIssuer.time(day).utf8))
        }
        guard days.isEmpty, let aged = try DERElement.sequence(bytes).first else {
            throw PeerError("an OCSP response with fewer times than it should have")
        }
        return aged
    }
}
