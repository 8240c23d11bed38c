// Whether the server's certificate is accepted.

internal import COpenSSL
internal import LWSServiceLoop

extension TLSHandshake {
    /// Verifies the chain that the server has sent: OpenSSL does, with the trusted roots, the server's name, and
    /// revocation lists where there are any; then the pins. Leaves why not in `refusal`.
    func verify(_ store: OpaquePointer) -> Bool {
        guard refusal == nil, checkApplicationProtocol() else { return refuse(store) }
        guard context.settings.enable else {
            X509_STORE_CTX_set_error(store, X509_V_OK)
            return true
        }
        guard expectName(store) else { return refuse(store) }
        // In place of lws's, which would ask lws's settings.
        if isSoft {
            X509_STORE_CTX_set_verify_cb(store, acceptUnknownRevocation)
        } else {
            X509_STORE_CTX_set_verify_cb(store, passOn)
        }
        if X509_verify_cert(store) != 1 {
            // OpenSSL takes what it could not look at for bad.
            guard !HeldLoop.lacksMemory else {
                refusal = noMemory
                return false
            }
            refusal = failure(
                X509_STORE_CTX_get_error(store), depth: X509_STORE_CTX_get_error_depth(store),
                X509_STORE_CTX_get_current_cert(store).map { PeerCertificate(Certificate($0)) })
            return false
        }
        X509_STORE_CTX_set_error(store, X509_V_OK)
        let pins = context.settings.pinnedPublicKeys
        guard !pins.isEmpty else { return true }
        let chain = Certificate.list(X509_STORE_CTX_get0_chain(store)).map { PeerCertificate($0) }
        guard !chain.contains(where: { pins.contains($0.publicKeyPin) }) else { return true }
        let leaf = chain.first.map { "; its own is \($0.publicKeyPin)" } ?? ""
        refusal = TLSFailure(
            words:
                "The public key of \(server.host) is not one of those pinned in secureSocket.pinnedPublicKeys\(leaf)")
        return refuse(store)
    }

    /// Has the certificate be looked at for the server's name. Returns false where that cannot be, with the reason in `refusal`.
    ///
    /// Not for the connection: from there OpenSSL takes the name over without a look at whether it had the memory for that
    /// (ssl/ssl_cert.c: ssl_verify_cert_chain, 3.0), and would go on without any.
    private func expectName(_ store: OpaquePointer) -> Bool {
        guard context.settings.verifyHostName else { return true }
        let parameters = X509_STORE_CTX_get0_param(store)
        // RFC 9525, sections 6.3 and 6.4: no common names, and a wildcard is a whole label.
        X509_VERIFY_PARAM_set_hostflags(
            parameters, UInt32(X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT))
        let isSet =
            server.isAddress
            ? X509_VERIFY_PARAM_set1_ip_asc(parameters, server.name)
            : X509_VERIFY_PARAM_set1_host(parameters, server.name, server.name.utf8.count)
        // Without a name any would do: an empty one takes the check away.
        if isSet == 1, !server.name.isEmpty { return true }
        refusal =
            HeldLoop.lacksMemory
            ? noMemory : TLSFailure(words: "\(server.host) is no name that a certificate can be verified for")
        return false
    }

    private func refuse(_ store: OpaquePointer) -> Bool {
        X509_STORE_CTX_set_error(store, X509_V_ERR_APPLICATION_VERIFICATION)
        return false
    }

    /// Some releases of OpenSSL take whatever the server says, and lws would speak HTTP/2 if it said so.
    func checkApplicationProtocol() -> Bool {
        guard let ssl, let chosen = TLSInfo.applicationProtocol(ssl), chosen != TLSInfo.applicationProtocol else {
            return true
        }
        refusal = TLSFailure(words: "\(server.host) chose an application protocol that was not offered")
        return false
    }

    private var isSoft: Bool { context.settings.certValidation?.mode == .soft }

    // MARK: - In words

    private func failure(_ code: Int32, depth: Int32, _ certificate: PeerCertificate?) -> TLSFailure {
        let detail = String(cString: X509_verify_cert_error_string(Int(code)))
        let host = server.host
        let subject = certificate.map { $0.subject.isEmpty ? "without a name" : $0.subject.shown } ?? "unknown"
        let what = depth == 0 ? "The certificate of \(host)" : "A certificate in the chain of \(host) (\(subject))"
        let words: String
        switch code {
        case X509_V_ERR_CERT_HAS_EXPIRED:
            words = "\(what) has expired" + (certificate.map { ", on \($0.notAfter.inUTC)" } ?? "")
        case X509_V_ERR_CERT_NOT_YET_VALID:
            words =
                "\(what) is not yet valid" + (certificate.map { ", not before \($0.notBefore.inUTC)" } ?? "")
                + "; check this machine's clock"
        case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
            words = "\(what) is self-signed and not trusted; give it in secureSocket.cert if it is the right one"
        case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
            words = "The certificate of \(host) leads to an unknown root (\(subject)), which is not trusted"
        case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY, X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT,
            X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
            let issuer = certificate.map { $0.issuer.isEmpty ? "" : " (\($0.issuer.shown))" } ?? ""
            words =
                "The certificate of \(host) leads to an unknown root: an issuer\(issuer) is not trusted, and \(host) "
                + "does not send its certificate"
        case X509_V_ERR_HOSTNAME_MISMATCH, X509_V_ERR_IP_ADDRESS_MISMATCH:
            let names = certificate?.alternativeNames.map(\.description) ?? []
            words =
                "The certificate is for the wrong host: it is not for \(server.name) but for "
                // RFC 9525, section 2, and OpenSSL as it is set up here.
                + (names.isEmpty
                    ? "no name at all: it has no subjectAltName, and its subject's common name does not count"
                    : names.prefix(5).map(\.shown).joined(separator: ", "))
                + (names.count > 5 ? " and \(names.count - 5) others" : "")
                + (server.name == host ? "" : " (connected to \(host))")
        case X509_V_ERR_CERT_REVOKED: words = "\(what) has been revoked"
        case X509_V_ERR_UNABLE_TO_GET_CRL, X509_V_ERR_UNABLE_TO_GET_CRL_ISSUER:
            words = "\(what) may have been revoked: secureSocket.certValidation has no list of its issuer"
        case X509_V_ERR_CRL_HAS_EXPIRED:
            words = "\(what) may have been revoked: the list of its issuer has expired"
        case X509_V_ERR_EE_KEY_TOO_SMALL, X509_V_ERR_CA_KEY_TOO_SMALL, X509_V_ERR_CA_MD_TOO_WEAK:
            words = "\(what) is too weak: \(detail)"
        default: words = "\(what) is not acceptable: \(detail)"
        }
        return TLSFailure(words: words, detail: detail)
    }
}

extension String {
    /// A part of a certificate that nobody has vouched for yet, as errors show it: OpenSSL looks at the name before the
    /// signature.
    fileprivate var shown: String {
        let start = String(decoding: utf8.prefix(128), as: UTF8.self)
        let text = start.unicodeScalars.map { $0.properties.generalCategory == .control ? "\u{FFFD}" : String($0) }
        return text.joined() + (utf8.count > 128 ? "…" : "")
    }
}

/// Leaves OpenSSL's judgement as it is, but for revocation lists held against a trusted issuer at the end of the chain,
/// which is no part of the path that is validated (RFC 5280, section 6.1). Where it is not self-signed OpenSSL asks for a
/// list of its issuer all the same, and takes that for signed with its own key (x509_vfy.c: check_crl).
private func passOn(_ isFine: Int32, _ store: OpaquePointer?) -> Int32 {
    let depth = Int(X509_STORE_CTX_get_error_depth(store))
    let last = Int(cossl_certificate_count(X509_STORE_CTX_get0_chain(store))) - 1
    return depth > 0 && depth == last ? acceptUnknownRevocation(isFine, store) : isFine
}

/// Overrules what OpenSSL holds against revocation lists that are missing or of no use.
private func acceptUnknownRevocation(_ isFine: Int32, _ store: OpaquePointer?) -> Int32 {
    guard isFine != 1 else { return 1 }
    // They may be there, and good.
    guard !HeldLoop.lacksMemory, !OpenSSLError.isShortage else { return 0 }
    switch X509_STORE_CTX_get_error(store) {
    case X509_V_ERR_UNABLE_TO_GET_CRL, X509_V_ERR_UNABLE_TO_GET_CRL_ISSUER, X509_V_ERR_CRL_HAS_EXPIRED,
        X509_V_ERR_CRL_NOT_YET_VALID, X509_V_ERR_CRL_SIGNATURE_FAILURE, X509_V_ERR_UNABLE_TO_DECRYPT_CRL_SIGNATURE,
        X509_V_ERR_DIFFERENT_CRL_SCOPE, X509_V_ERR_KEYUSAGE_NO_CRL_SIGN,
        X509_V_ERR_UNHANDLED_CRITICAL_CRL_EXTENSION, X509_V_ERR_ERROR_IN_CRL_LAST_UPDATE_FIELD,
        X509_V_ERR_ERROR_IN_CRL_NEXT_UPDATE_FIELD:
        X509_STORE_CTX_set_error(store, X509_V_OK)
        return 1
    default: return 0
    }
}

// MARK: - OCSP responses that servers send along with their certificates (RFC 6066, section 8; RFC 6960)

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
        let (judgement, isShort) = OpenSSLError.scope { (status(ssl), OpenSSLError.isShortage) }
        switch judgement {
        case .good: return true
        case .revoked:
            refusal = TLSFailure(
                words: "The certificate of \(host) has been revoked, says the OCSP response that it sends along")
        case .unknown where isShort || HeldLoop.lacksMemory: refusal = noMemory
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
