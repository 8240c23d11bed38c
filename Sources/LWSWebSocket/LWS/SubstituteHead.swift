// What lws gets to read in place of a long head.

internal import CLibWebSockets
internal import HTTPTypes

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// The lines of an answer with 101 that lws goes by, in a socket of their own: it holds about eighty fields of names that it
/// knows (roles/http/parsers.c: `frags`), and cookies are among them.
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

    /// `nil` where the head is short enough, or there is no room for it.
    init?(of head: ResponseHead) {
        guard head.fields.count > Self.mostFields || head.length > Self.mostBytes else { return nil }
        let fields = head.fields.filter { Self.names.contains($0.name.canonicalName) }
        let lines = ["HTTP/1.1 \(head.status) ."] + fields.map { "\($0.name.canonicalName): \($0.value)" }
        let text = lines.joined(separator: "\r\n") + "\r\n\r\n"
        var pair: [Int32] = [-1, -1]
        guard socketpair(AF_UNIX, clws_stream, 0, &pair) == 0 else { return nil }
        (reader, writer) = (pair[0], pair[1])
        for descriptor in pair { _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC) }
        // lws reads until there is nothing left, and must not wait for more.
        guard fcntl(reader, F_SETFL, O_NONBLOCK) == 0, fcntl(writer, F_SETFL, O_NONBLOCK) == 0,
            Array(text.utf8).withUnsafeBytes({ write(writer, $0.baseAddress, $0.count) }) == text.utf8.count
        else { return nil }
    }

    deinit {
        close(reader)
        close(writer)
    }
}
