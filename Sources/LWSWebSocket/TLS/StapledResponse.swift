// OCSP responses that servers send along with their certificates (RFC 6066, section 8; RFC 6960).

internal import COpenSSL

/// What a stapled response says of a certificate.
private enum StapledStatus: Equatable {
    case good
    case revoked
    /// Nothing that counts, and why.
    case unknown(String)
}

extension TLSHandshake {
    /// Seconds that the clocks of the responder and of this machine may differ.
    private static let clockSkew = 300
    /// Seconds after which a response that does not say how long it is valid is out of date.
    private static let longestAge = 7 * 24 * 3600

    /// Judges the response, or its absence, after the certificate was verified. Returns whether to go on; leaves why not
    /// in `refusal`.
    func checkStaple(_ ssl: OpaquePointer) -> Bool {
        guard let validation = context.settings.certValidation, validation.method == .ocspStapling,
            // A resumed session has the certificate of the one that it resumes, which was judged then.
            SSL_session_reused(ssl) == 0
        else { return true }
        let host = server.host
        switch OpenSSLError.scope({ status(ssl) }) {
        case .good: return true
        case .revoked:
            refusal = TLSFailure(
                words: "The certificate of \(host) has been revoked, says the OCSP response that it sends along")
        case .unknown(let why):
            guard validation.mode == .hard else { return true }
            refusal = TLSFailure(
                words:
                    "The certificate of \(host) may have been revoked: \(why), and secureSocket.certValidation is hard"
            )
        }
        return false
    }

    private func status(_ ssl: OpaquePointer) -> StapledStatus {
        var bytes: UnsafePointer<UInt8>?
        let count = cossl_stapled_response(ssl, &bytes)
        guard count > 0 else { return .unknown("it sends no OCSP response along") }
        guard let response = d2i_OCSP_RESPONSE(nil, &bytes, count) else {
            return .unknown("the OCSP response that it sends along is damaged")
        }
        defer { OCSP_RESPONSE_free(response) }
        guard OCSP_response_status(response) == OCSP_RESPONSE_STATUS_SUCCESSFUL,
            let basic = OCSP_response_get1_basic(response)
        else { return .unknown("the OCSP response that it sends along is an error") }
        defer { OCSP_BASICRESP_free(basic) }
        let chain = SSL_get0_verified_chain(ssl)
        // The signer has to be the issuer, or appointed by it for OCSP: OCSP_basic_verify sees to that.
        guard OCSP_basic_verify(basic, chain, SSL_CTX_get_cert_store(context.pointer), 0) == 1 else {
            return .unknown("the OCSP response that it sends along is not signed by the certificate's issuer")
        }
        guard cossl_certificate_count(chain) > 1 else {
            return .unknown("the issuer of its certificate is not known")
        }
        let (leaf, issuer) = (cossl_certificate_at(chain, 0), cossl_certificate_at(chain, 1))
        for digest in [EVP_sha1(), EVP_sha256()] {
            guard let name = OCSP_cert_to_id(digest, leaf, issuer) else { continue }
            defer { OCSP_CERTID_free(name) }
            var (status, reason) = (V_OCSP_CERTSTATUS_UNKNOWN, Int32(0))
            var (revoked, from, to): (Time, Time, Time) = (nil, nil, nil)
            guard OCSP_resp_find_status(basic, name, &status, &reason, &revoked, &from, &to) == 1 else { continue }
            // Without an end newer information is there all the time (RFC 6960, section 4.2.2.1).
            guard OCSP_check_validity(from, to, Self.clockSkew, to == nil ? Self.longestAge : -1) == 1 else {
                return .unknown("the OCSP response that it sends along is out of date")
            }
            return switch status {
            case V_OCSP_CERTSTATUS_GOOD: .good
            case V_OCSP_CERTSTATUS_REVOKED: .revoked
            default: .unknown("its issuer's OCSP service does not know it")
            }
        }
        return .unknown("the OCSP response that it sends along is for another certificate")
    }

    private typealias Time = UnsafeMutablePointer<ASN1_GENERALIZEDTIME>?
}
