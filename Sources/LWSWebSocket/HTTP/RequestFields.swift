// The fields of a request: who it comes from, which may be set, and cookies.

internal import HTTPTypes
internal import LWSServiceLoop

/// The User-Agent field (RFC 9110, section 10.1.5), without which filters and some APIs turn requests away.
enum UserAgent {
    static let library = "swift-lws/\(PackageRelease.number)"

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

extension HTTPFields {
    /// Adds a field that an application has given.
    /// - Parameter place: where, for the error.
    mutating func add(_ name: String, _ value: String, _ place: String) throws(WebSocketError) {
        guard let fieldName = HTTPField.Name(name) else {
            throw WebSocketError(.invalidArgument, "\(place): \(name.debugDescription) is not a field name")
        }
        guard HTTPField.isValidValue(value) else {
            throw WebSocketError(
                .invalidArgument, "\(place): the value of \(name) has a line break or another control character")
        }
        try fieldName.checkMayBeSet(place)
        append(HTTPField(name: fieldName, value: value))
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

// MARK: - Cookies for the handshake

/// A cookie that is sent with the handshake (RFC 6265, section 4.2).
public struct Cookie: Sendable, Hashable {
    /// A token (RFC 9110, section 5.6.2).
    public var name: String
    /// Printable ASCII without space, quote, comma, semicolon and backslash; it may stand in quotes.
    public var value: String
    /// The path that the cookie belongs to. It decides the order alone: every cookie given is sent.
    public var path: String?

    /// A cookie. What is not valid is thrown as `invalidArgument` when a client is made with it.
    public init(name: String, value: String, path: String? = nil) {
        self.name = name
        self.value = value
        self.path = path
    }

    /// The value of one Cookie field with all of them: those with the longest path first, those with paths of one
    /// length in the order given (RFC 6265, section 5.4).
    static func field(_ cookies: [Cookie]) -> String? {
        guard !cookies.isEmpty else { return nil }
        let ordered = cookies.enumerated().sorted { left, right in
            let (leftLength, rightLength) = (left.element.pathLength, right.element.pathLength)
            return leftLength == rightLength ? left.offset < right.offset : leftLength > rightLength
        }
        return ordered.map { "\($0.element.name)=\($0.element.value)" }.joined(separator: "; ")
    }

    private var pathLength: Int { path?.utf8.count ?? 0 }

    func validate() throws(WebSocketError) {
        guard Token.isToken(name) else {
            throw WebSocketError(.invalidArgument, "cookies: \(name.debugDescription) is not a cookie name")
        }
        // The value may be a secret, so it is not shown.
        guard isValidValue else {
            throw WebSocketError(
                .invalidArgument, "cookies: the value of \(name) has a character that a cookie cannot hold")
        }
    }

    /// cookie-value of RFC 6265, section 4.1.1.
    private var isValidValue: Bool {
        var octets = value.utf8[...]
        if octets.count >= 2, octets.first == UInt8(ascii: "\""), octets.last == UInt8(ascii: "\"") {
            octets = octets.dropFirst().dropLast()
        }
        return octets.allSatisfy { octet in
            switch octet {
            case 0x21, 0x23...0x2b, 0x2d...0x3a, 0x3c...0x5b, 0x5d...0x7e: true
            default: false
            }
        }
    }
}

/// The tokens of HTTP (RFC 9110, section 5.6.2), which names of cookies and sub-protocols are as well as those of
/// header fields.
enum Token {
    static func isToken(_ text: String) -> Bool { HTTPField.Name(text) != nil }
}
