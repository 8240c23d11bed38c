// Who a request says that it comes from.

internal import HTTPTypes

/// The User-Agent field (RFC 9110, section 10.1.5), without which filters and some APIs turn requests away.
enum UserAgent {
    /// The package's version, as in CHANGELOG.md.
    static let version = "0.1.0"
    static let library = "swift-lws/\(version)"

    /// All that most requests have, which they share.
    fileprivate static let fields: HTTPFields = [.userAgent: library]
}

extension HTTPFields {
    /// Names the library where the application's fields name nobody. An empty User-Agent there means that none is sent.
    mutating func completeUserAgent(of application: HTTPFields) {
        if application[.userAgent]?.isEmpty == true {
            self[.userAgent] = nil
        } else if isEmpty {
            self = UserAgent.fields
        } else if self[.userAgent] == nil {
            self[.userAgent] = UserAgent.library
        }
    }
}

extension HTTPField.Name {
    /// Refuses the fields of the handshake itself, and those that would change how the answer has to be read.
    /// - Parameter field: where the name was given, for the error.
    func checkMayBeSet(_ field: String) throws(WebSocketError) {
        let owned: Set<String> = ["upgrade", "connection", "content-length", "transfer-encoding"]
        guard !owned.contains(canonicalName), !canonicalName.hasPrefix("sec-websocket-") else {
            throw WebSocketError(
                .invalidArgument, "\(field): \(rawName) belongs to the handshake and cannot be set")
        }
    }
}
