// What lws reports of a WebSocket connection.

internal import CLibWebSockets
internal import LWSServiceLoop

extension WebSocketRole {
    /// Unwraps what lws hands over and calls one method. `false` makes lws end the connection.
    func handle(
        _ reason: lws_callback_reasons, _ wsi: OpaquePointer, _ argument: UnsafeMutableRawBufferPointer,
        _ session: ClientSession, _ held: borrowing HeldLoop
    ) -> Bool {
        let goOn: Bool
        switch reason {
        case LWS_CALLBACK_CLIENT_RECEIVE:
            received(UnsafeRawBufferPointer(argument), wsi, session, held)
            goOn = true
        case LWS_CALLBACK_CLIENT_RECEIVE_PONG:
            receivedPong(UnsafeRawBufferPointer(argument), wsi, session, held)
            goOn = true
        case LWS_CALLBACK_WSI_CREATE:
            // For a client's connection, when TCP is connected (`lws_client_connect_3_connect`).
            session.connected(wsi, held)
            goOn = true
        case LWS_CALLBACK_CLIENT_WRITEABLE:
            goOn = writable(wsi, session, held)
        case LWS_CALLBACK_WS_PEER_INITIATED_CLOSE:
            goOn = receivedClose(UnsafeRawBufferPointer(argument), wsi, session, held)
        case LWS_CALLBACK_CLIENT_CONFIRM_EXTENSION_SUPPORTED:
            // Whether the extension, of which there is one, is offered.
            goOn = request.compression != nil
        case LWS_CALLBACK_CLIENT_APPEND_HANDSHAKE_HEADER:
            guard let end = argument.baseAddress else { return false }
            goOn = appendHeaders(
                end.assumingMemoryBound(to: UnsafeMutablePointer<CChar>?.self), available: argument.count, wsi,
                session, held)
        case LWS_CALLBACK_ESTABLISHED_CLIENT_HTTP:
            goOn = readResponse(wsi, session)
        case LWS_CALLBACK_CLIENT_FILTER_PRE_ESTABLISH:
            goOn = checkSubProtocol(wsi, session)
        case LWS_CALLBACK_CLIENT_ESTABLISHED:
            goOn = opened(session, held)
        case LWS_CALLBACK_CLIENT_CONNECTION_ERROR:
            session.connectionFailed(String(decoding: argument.prefix { $0 != 0 }, as: UTF8.self), held)
            goOn = true
        case LWS_CALLBACK_CLIENT_CLOSED:
            noteViolation(wsi, session)
            session.ends(held)
            // Before lws closes it: a forked child may keep it open.
            session.socket?.forget(held)
            goOn = true
        case LWS_CALLBACK_WSI_DESTROY:
            compression?.destroy(wsi)
            compression = nil
            session.ends(held)
            reading.stop(held)
            session.attemptEnded(held)
            goOn = true
        default:
            goOn = true
        }
        return goOn
    }
}
