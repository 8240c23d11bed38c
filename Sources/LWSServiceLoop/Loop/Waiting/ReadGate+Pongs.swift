// Pongs that leave while libwebsockets parses what it has read.

import CLibWebSockets

/// Where lws parses on behind a ping, whatever it is told, it is made to send the pong before it comes to the next.
///
/// It tells of a ping when it asks for its turn to write, inside its parser, with the pong laid by (`lws_ws_client_rx_sm`):
/// then it can be given that turn (core-net/service.c: `lws_service_fd`), in which it sends the pong and nothing else. It must
/// not read meanwhile, nor end the connection, which the parser goes on with:
///
/// - It does not look at what it has buffered, of which it may just be parsing a part, where reading is paused
///   (roles/ws/ops-ws.c: `rops_handle_POLLIN_ws`). That remains so until it returns: to allow it has lws ask for another turn
///   to write, and then the next ping would change nothing. (4.4.0 and 4.4.1, which go by the number of 4.4.2, look at that
///   before each byte, and come back for the rest.)
/// - It ends a connection when a write fails; that one does not is up to the caller.
///
/// After the pong it goes on waiting for its turn (`lws_handle_POLLOUT_event`: "leave POLLOUT active either way"). That is
/// why it is given a second one, in which nothing is sent, and it waits no longer: so it asks for the next ping's as well.
extension ReadGate {
    /// What lws parses, and has parsed of it.
    struct Parsing {
        let connection: OpaquePointer
        var pongs = 0
    }

    /// A reason beside that of the application (lws-misc.h: the bits 0 to 5 are for whoever calls).
    private static let pong = 1 << 2
    /// So many leave in one go, for whoever else is on the loop has to wait meanwhile. Of the rest lws answers the first and
    /// drops the others without a word, where RFC 6455, section 5.5.3 would have the last one answered.
    private static let mostPongs = 1024

    /// Whether LWS_CALLBACK_GET_THREAD_ID has come for a pong, as far as it is known here, and lws would send it at once.
    package func canSendPong(_ connection: OpaquePointer) -> Bool {
        !Self.stopsWithinRead && isPing(connection) && parsing?.pongs ?? 0 < Self.mostPongs
            && lws_partial_buffered(connection) == 0
    }

    /// Has lws send it. For the time of that call no write to the connection's socket may fail.
    package func sendPong(_ connection: OpaquePointer, _ held: borrowing HeldLoop) {
        isSendingPong = true
        if parsing == nil {
            parsing = Parsing(connection: connection)
            held.whenPassEnds(self)
            control(connection, Self.pong, allows: false)
        }
        parsing?.pongs += 1
        whileHandling {
            let descriptor = lws_get_socket_fd(connection)
            held.serveWritingInside(descriptor)
            // What the system did not take would be sent in the next turn, and lws go on waiting.
            if lws_partial_buffered(connection) == 0 { held.serveWritingInside(descriptor) }
        }
        isSendingPong = false
    }
}

extension ReadGate: PassFinisher {
    /// lws has parsed what it had read.
    package func passEnds(_ held: borrowing HeldLoop) {
        guard let connection = parsing?.connection else { return }
        parsing = nil
        watched?.descriptorIsBack(held)
        changes = 0
        control(connection, Self.pong, allows: true)
        // lws wants to read again; and to write too, to come back to what it has buffered (core-net/wsi.c:
        // __lws_rx_flow_control).
        let isBuffered = changes ?? 0 > 1
        changes = nil
        if isBuffered, !isPaused { awaitWritable(connection, held) }
    }
}
