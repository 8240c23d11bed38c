// What a token endpoint answers.

internal import HTTPTypes

#if canImport(FoundationEssentials)
    internal import FoundationEssentials
#else
    internal import Foundation
#endif

/// Why there is no token.
struct TokenFailure: Error {
    let error: AuthenticationError
    /// What was given for it is not valid any more (`invalid_grant`; RFC 6749, section 5.2).
    let isInvalidGrant: Bool

    init(_ error: AuthenticationError, isInvalidGrant: Bool = false) {
        self.error = error
        self.isInvalidGrant = isInvalidGrant
    }
}

/// A successful answer (RFC 6749, section 5.1).
struct TokenAnswer: Sendable {
    let accessToken: String
    /// `nil` where it does not say.
    let lifetime: Duration?
    let refreshToken: String?

    init(_ answer: HTTPAnswer, from host: String, _ redaction: Redaction) throws(TokenFailure) {
        let status = answer.response.status
        func failure(_ what: String, isTransient: Bool = false, isInvalidGrant: Bool = false) -> TokenFailure {
            TokenFailure(
                AuthenticationError("the token endpoint \(host) \(what)", isTransient: isTransient),
                isInvalidGrant: isInvalidGrant)
        }
        guard status.kind != .redirection else {
            throw failure("redirected the request (\(status.code)), which is not followed; check its URL")
        }
        let json = Self.json(answer.body)
        let isTransient = status.kind == .serverError || status.code == 429
        if let error = json?["error"]?.stringValue {
            let description = json?["error_description"]?.stringValue.map { ": \($0)" } ?? ""
            throw failure(
                "refused (\(status.code)): \(redaction.clean(error + description))",
                isTransient: isTransient || error == "temporarily_unavailable",
                isInvalidGrant: error == "invalid_grant")
        }
        guard status.kind == .successful else {
            throw failure("answered with status \(status.code)", isTransient: isTransient)
        }
        guard let json, json.objectValue != nil else {
            let type = answer.response.headerFields[.contentType].map { ", but \(redaction.clean($0))" } ?? ""
            throw failure("answered with something that is not a JSON object\(type)")
        }
        guard let token = json["access_token"]?.stringValue else { throw failure("answered without an access_token") }
        guard BearerToken.isValid(token) else {
            throw failure("answered with an access_token that cannot be sent")
        }
        if let type = json["token_type"], type.stringValue?.lowercased() != "bearer" {
            throw failure("answered with a token of another type than Bearer")
        }
        accessToken = token
        lifetime = json["expires_in"].flatMap(Self.seconds)
        refreshToken = json["refresh_token"]?.stringValue.flatMap { $0.isEmpty ? nil : $0 }
    }

    private static func json(_ body: [UInt8]) -> JSONValue? {
        guard (try? JSONGuard.check(.binary(body), allowsJSON5: false)) != nil else { return nil }
        return try? JSONDecoder().decode(JSONValue.self, from: Data(body))
    }

    /// A number, as the RFC has it, or the text of one, as some servers do.
    private static func seconds(_ value: JSONValue) -> Duration? {
        guard let seconds = value.doubleValue ?? value.stringValue.flatMap(Double.init), seconds.isFinite else {
            return nil
        }
        return .seconds(min(max(0, seconds), 1e9))
    }
}
