// What lws gets to read in place of a long head.

internal import CLibWebSockets
internal import HTTPTypes

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// The lines of an answer with 101 that lws goes by, in a socket of their own.
///
/// It holds about eighty fields of names that it knows (roles/http/parsers.c: `frags`), and cookies are among them. And lws 4.1
/// takes the line of a field for a part of the next where the name is the beginning of one that it knows.
final class SubstituteHead {
    /// Fewer fields, and fewer bytes, leave lws room enough.
    static let mostFields = 40
    static let mostBytes = 8192

    /// Where lws reads them.
    let reader: Int32
    private let writer: Int32

    /// Those that decide whether the connection is upgraded, and how (`lws_client_ws_upgrade`).
    private static let names = [
        "upgrade", "connection", "sec-websocket-accept", "sec-websocket-protocol", "sec-websocket-extensions",
    ]

    /// The proper beginnings of the names that lws knows, of methods too.
    private static let beginnings = Set(
        (0..<WSI_TOKEN_COUNT.rawValue).flatMap { index -> [String] in
            guard let token = lws_token_to_string(lws_token_indexes(rawValue: index)) else { return [] }
            let name = token.withMemoryRebound(to: CChar.self, capacity: 1) { String(cString: $0) }
                .lowercased().prefix { $0 != ":" }
            return (0..<name.utf8.count).map { String(name.prefix($0)) }
        })

    private static func isNeeded(_ length: Int, _ fields: [HTTPField]) -> Bool {
        fields.count > mostFields || length > mostBytes
            || fields.contains { beginnings.contains($0.name.canonicalName) }
    }

    /// `nil` where lws can read the head as it is, or there is no room for it.
    init?(of head: ResponseHead) {
        let fields = head.fields
        guard Self.isNeeded(head.length, fields) else { return nil }
        let known = fields.filter { Self.names.contains($0.name.canonicalName) }
        let lines = ["HTTP/1.1 \(head.status) ."] + known.map { "\($0.name.canonicalName): \($0.value)" }
        let text = lines.joined(separator: "\r\n") + "\r\n\r\n"
        guard let pair = Socket.pair() else { return nil }
        (reader, writer) = pair
        guard Socket.send(Array(text.utf8), to: writer) else { return nil }
    }

    deinit {
        close(reader)
        close(writer)
    }
}
