// Where an answer is read from, a socket or the TLS on it, and what lws gets to read in its place.

internal import CLibWebSockets
internal import HTTPTypes
internal import LWSServiceLoop

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// Keeps lws from reading a connection, and looks at what has come there, with or without taking it. It never waits.
///
/// With TLS, OpenSSL gives lws nothing while a gate in front of the socket is closed. Without it lws has a descriptor in the
/// socket's place on which nothing ever happens, so that it does not even see the end of TCP before what came in front of
/// that was read. It takes another descriptor for the socket meanwhile; where these grow short, lws's flow control has to do,
/// and a connection that is reset right behind the answer may be lost.
final class AnswerSource {
    enum Look {
        /// So many bytes.
        case bytes(Int)
        case nothing
        /// The stream has ended, or is broken.
        case ended
    }

    /// What lws knows the connection by.
    private let place: Int32
    private var standIn: SocketStandIn?
    /// With TLS.
    private let records: TLSRecords?
    private var substitute: SubstituteHead?
    private var isHeld = false

    init(_ wsi: OpaquePointer) {
        place = lws_get_socket_fd(wsi)
        records = lws_is_ssl(wsi) == 1 ? lws_get_ssl(wsi).map(TLSRecords.init) : nil
    }

    /// The socket.
    var descriptor: Int32 { standIn?.socket ?? place }

    /// Whether a look shows all that has come. Of TLS it shows what is left of one record, and the next when that was taken.
    var showsAll: Bool { records == nil }

    // MARK: - Looking

    /// - Parameter taking: what is seen is gone then, and the next look shows what comes behind it.
    func look(into buffer: UnsafeMutableRawBufferPointer, taking: Bool = false) -> Look {
        guard let records else {
            let count = Socket.receive(into: buffer, from: descriptor, taking: taking)
            guard count <= 0 else { return .bytes(count) }
            return count < 0 && errno == EAGAIN ? .nothing : .ended
        }
        guard let count = records.look(into: buffer, taking: taking) else { return .ended }
        return count > 0 ? .bytes(count) : .nothing
    }

    /// Takes bytes that a look has shown.
    func take(_ count: Int) {
        guard count > 0 else { return }
        withUnsafeTemporaryAllocation(byteCount: count, alignment: 1) { _ = look(into: $0, taking: true) }
    }

    // MARK: - Keeping lws from reading

    /// From here on lws reads nothing. It has sent the request.
    func hold(_ wsi: OpaquePointer, _ watch: ArrivalWatch) {
        isHeld = true
        if let records { return records.close() }
        // The rest is for whom descriptors are all there is.
        standIn = SocketStandIn(watch.quiet, inPlaceOf: place, below: DescriptorLimit.current / 2)
        if standIn == nil { lws_rx_flow_control(wsi, 0) }
    }

    /// lws may read again.
    func release(_ wsi: OpaquePointer) {
        guard isHeld else { return }
        isHeld = false
        substitute = nil
        if let records { return records.open() }
        guard let standIn else {
            lws_rx_flow_control(wsi, 1)
            return
        }
        standIn.end()
        self.standIn = nil
    }

    /// lws ends the connection.
    func abandon() { standIn = nil }

    /// Has lws read what the last look has shown of TLS, and nothing of what may be in the socket behind it.
    /// Returns false where lws had too little memory.
    func handOn(_ held: borrowing HeldLoop) -> Bool { held.serveReading(place) }

    /// Has lws read the head, or in place of a long one the few lines that it goes by. Then it is to be released when it has read
    /// them.
    /// - Returns: false where it had too little memory, and may have lost what comes behind.
    func handOver(_ head: ResponseHead, _ wsi: OpaquePointer, _ held: borrowing HeldLoop) -> Bool {
        if let standIn, let substitute = SubstituteHead(of: head), standIn.replace(by: substitute.pair.near) {
            self.substitute = substitute
            take(head.length)
        } else {
            release(wsi)
        }
        return held.serveReading(place)
    }
}

// MARK: - What lws gets to read in place of a long head

/// The lines of an answer with 101 that lws goes by, in a socket of their own.
///
/// It holds about eighty fields of names that it knows (roles/http/parsers.c: `frags`), and cookies are among them. And lws 4.1
/// takes the line of a field for a part of the next where the name is the beginning of one that it knows.
final class SubstituteHead {
    /// Fewer fields, and fewer bytes, leave lws room enough.
    static let mostFields = 40
    static let mostBytes = 8192

    /// lws reads them from the near end.
    let pair: SocketPair

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
        guard let pair = SocketPair(), Socket.send(Array(text.utf8), to: pair.far) else { return nil }
        self.pair = pair
    }
}
