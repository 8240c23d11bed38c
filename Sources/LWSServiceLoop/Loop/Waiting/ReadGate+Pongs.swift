// Pongs that leave while libwebsockets parses what it has read.

import CLibWebSockets

/// Where lws parses on behind a ping, whatever it is told, it is made to send the pong before it comes to the next.
///
/// It tells of a ping when it asks for its turn to write, inside its parser, with the pong laid by (`lws_ws_client_rx_sm`):
/// then it can be given that turn (core-net/service.c: `lws_service_fd`), in which it sends the pong and nothing else. It must
/// not read meanwhile, nor end the connection, which the parser goes on with:
///
/// - It does not look at what it has buffered, of which it may just be parsing a part, where reading is paused
///   (roles/ws/ops-ws.c: `rops_handle_POLLIN_ws`). That remains so until it has parsed all: to allow it has lws ask for
///   another turn to write, and then the next ping would change nothing.
/// - It ends a connection when a write fails; that one does not is up to the caller.
///
/// After the pong it goes on waiting for its turn (`lws_handle_POLLOUT_event`: "leave POLLOUT active either way"). That is
/// why it is given a second one, in which nothing is sent, and it waits no longer: so it asks for the next ping's as well.
extension ReadGate {
    /// A reason beside that of the application (lws-misc.h: the bits 0 to 5 are for whoever calls).
    private static let pong = 1 << 2

    /// Whether LWS_CALLBACK_GET_THREAD_ID has come from the parser, for a pong which lws does not hold back for anything else.
    package func canSendPong(_ connection: OpaquePointer) -> Bool {
        !Self.stopsWithinRead && isPing(connection) && lws_partial_buffered(connection) == 0
    }

    /// Has lws send it. For the time of that call no write to the connection's socket may fail.
    package func sendPong(_ connection: OpaquePointer, _ held: borrowing HeldLoop) {
        isSendingPong = true
        if parsed == nil {
            parsed = connection
            held.whenPassEnds(self)
            control(connection, Self.pong, allows: false)
        }
        whileHandling {
            for _ in 0..<2 { held.serveWritingInside(lws_get_socket_fd(connection)) }
        }
        isSendingPong = false
    }
}

extension ReadGate: PassFinisher {
    /// lws has parsed what it had read.
    package func passEnds(_ held: borrowing HeldLoop) {
        guard let connection = parsed else { return }
        parsed = nil
        control(connection, Self.pong, allows: true)
        // Otherwise lws reads on when the pause is over.
        guard !isPaused else { return }
        awaitWritable(connection, held)
    }
}
