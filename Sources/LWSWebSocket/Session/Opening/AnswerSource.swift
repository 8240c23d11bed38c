// Where an answer is read from: a socket, or the TLS on it.

internal import CLibWebSockets
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
            let count = recv(descriptor, buffer.baseAddress, buffer.count, taking ? clws_take : clws_peek)
            guard count <= 0 else { return .bytes(count) }
            return count < 0 && (errno == EAGAIN || errno == EINTR) ? .nothing : .ended
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
    func handOn(_ held: borrowing HeldLoop) { held.serveReading(place) }

    /// Has lws read.
    func handOver(_ wsi: OpaquePointer, _ held: borrowing HeldLoop) {
        release(wsi)
        held.serveReading(place)
    }

    /// Has lws read the few lines of a long head that it goes by, in place of all. Returns whether that is possible. lws is to be
    /// released when it has read the head.
    func handOver(_ head: ResponseHead, _ held: borrowing HeldLoop) -> Bool {
        guard let standIn, let substitute = SubstituteHead(of: head), standIn.replace(by: substitute.reader)
        else { return false }
        self.substitute = substitute
        take(head.length)
        held.serveReading(place)
        return true
    }
}
