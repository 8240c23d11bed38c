// Where lws calls back.

internal import CLibWebSockets
internal import LWSServiceLoop

/// The callback of the client's one protocol: lws tells of the begin and the end of a connection to the first protocol of
/// its vhost, whichever it was made with (core-net/close.c: __lws_close_free_wsi_final). Calls that concern no connection
/// come without a user pointer.
func clientCallback(
    _ wsi: OpaquePointer?, _ reason: lws_callback_reasons, _ user: UnsafeMutableRawPointer?,
    _ argument: UnsafeMutableRawPointer?, _ length: Int
) -> Int32 {
    if reason == LWS_CALLBACK_GET_THREAD_ID { return threadAsked(wsi) }
    guard let wsi, let user else { return 0 }
    // Others come often as well and mean nothing here: no look at the loop for them.
    guard isHandled(reason) else { return 0 }
    return LoopContext.callback(of: wsi) { held in
        // Counts that lws keeps in an `int` arrive as a `size_t`: a negative one must not trap here.
        let argument = UnsafeMutableRawBufferPointer(start: argument, count: max(0, length))
        // Alive: an attempt retains it until `attemptEnded`, in the last call for it, which it has to outlive.
        let session = Unmanaged<ClientSession>.fromOpaque(user)
        guard reason != LWS_CALLBACK_WSI_DESTROY else {
            return session.takeUnretainedValue().handle(reason, wsi, argument, held) ? 0 : -1
        }
        return session._withUnsafeGuaranteedRef { $0.handle(reason, wsi, argument, held) ? 0 : -1 }
    } ?? 0
}

/// lws changes what it waits for on a connection, or has begun to serve the loop: then it shows no connection but the
/// beginning of one, without a vhost, of which nothing else may be looked at (`lws_fakewsi_prep_plwsa_ctx`). It gives no user
/// pointer either way.
private func threadAsked(_ wsi: OpaquePointer?) -> Int32 {
    guard let wsi, lws_get_vhost(wsi) != nil, let user = lws_wsi_user(wsi) else { return ReadGate.threadID }
    _ = LoopContext.callback(of: wsi) { held in
        Unmanaged<ClientSession>.fromOpaque(user).takeUnretainedValue().waitChanged(wsi, held)
    }
    return ReadGate.threadID
}

private func isHandled(_ reason: lws_callback_reasons) -> Bool {
    switch reason {
    case LWS_CALLBACK_CLIENT_RECEIVE, LWS_CALLBACK_CLIENT_RECEIVE_PONG, LWS_CALLBACK_CLIENT_WRITEABLE,
        LWS_CALLBACK_CLIENT_ESTABLISHED,
        LWS_CALLBACK_CLIENT_CONFIRM_EXTENSION_SUPPORTED,
        LWS_CALLBACK_CLIENT_APPEND_HANDSHAKE_HEADER, LWS_CALLBACK_ESTABLISHED_CLIENT_HTTP,
        LWS_CALLBACK_CLIENT_FILTER_PRE_ESTABLISH, LWS_CALLBACK_CLIENT_CONNECTION_ERROR,
        LWS_CALLBACK_WS_PEER_INITIATED_CLOSE, LWS_CALLBACK_CLIENT_CLOSED,
        LWS_CALLBACK_CLIENT_HTTP_WRITEABLE, LWS_CALLBACK_CLOSED_CLIENT_HTTP,
        LWS_CALLBACK_WSI_CREATE, LWS_CALLBACK_WSI_DESTROY:
        true
    default: false
    }
}
