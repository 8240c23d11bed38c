// An open connection: pongs that are sent while lws parses what it has read.

internal import CLibWebSockets
internal import LWSServiceLoop

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

extension WebSocketRole {
    /// lws asks for its turn to write, for a pong perhaps. Returns whether it was given that here (``ReadGate/sendPong(_:_:)``).
    ///
    /// No write may fail meanwhile: over TLS none does (`cossl_send`) but for want of memory, and else lws writes to another
    /// socket, from where the pong is taken and sent.
    func sendPong(_ wsi: OpaquePointer, _ session: ClientSession, _ held: borrowing HeldLoop) -> Bool {
        guard case .open = session.phase, !writeFailed, reading.canSendPong(wsi) else { return false }
        if let tls = session.tls {
            // OpenSSL may ask for that turn, to be able to read.
            guard !tls.hasEnded, !tls.waitsToWrite else { return false }
            reading.sendPong(wsi, held)
        } else if !sendPongInPlain(wsi, session, held) {
            return false
        }
        // Those that come before it has left are dropped by lws.
        if lws_partial_buffered(wsi) != 0 { reading.awaitWritable(wsi, held) }
        return true
    }

    /// Returns false where the system has no descriptors for it.
    private func sendPongInPlain(
        _ wsi: OpaquePointer, _ session: ClientSession, _ held: borrowing HeldLoop
    ) -> Bool {
        guard let catcher: PongCatcher = held.resident(),
            let standIn = SocketStandIn(catcher.place, inPlaceOf: lws_get_socket_fd(wsi))
        else { return false }
        reading.sendPong(wsi, held)
        standIn.end()
        guard !catcher.take({ pong in reading.whileHandling { sendRaw(pong, wsi, session) } }) else { return true }
        // What the peer sent before it ended the connection is read all the same.
        if hasPeerEnded(wsi) { writeFailed = true } else { session.abort(held) }
        return true
    }
}

/// Has what lws writes come here, in the place of any connection of a loop.
private final class PongCatcher: LoopResident {
    private let pair: SocketPair
    /// Has room for a pong with its header.
    private var bytes = [UInt8](repeating: 0, count: 256)

    /// `nil` where the system has no descriptors for it.
    init?(_ held: borrowing HeldLoop) {
        guard let pair = SocketPair() else { return nil }
        self.pair = pair
    }

    /// What stands in for the connection's socket.
    var place: Int32 { pair.near }

    /// Hands over what has come. Returns what `send` does, or true where nothing has: it was no ping then.
    func take(_ send: (UnsafeMutableRawBufferPointer) -> Bool) -> Bool {
        bytes.withUnsafeMutableBytes { buffer in
            let count = Socket.receive(into: buffer, from: pair.far, taking: true)
            return count <= 0 || send(UnsafeMutableRawBufferPointer(rebasing: buffer[..<count]))
        }
    }
}
