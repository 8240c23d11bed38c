// permessage-deflate as lws knows it: an extension of ours, which leaves lws's frames alone.

internal import CLibWebSockets
internal import LWSPayload
internal import LWSServiceLoop

/// The extension that lws is given with a vhost. Lives as long as the vhost does.
enum DeflateExtension {
    /// What lws offers by itself; another offer replaces it in the request (``HandshakeRequest``).
    static let offer = CompressionOptions().offer

    static func makeTable() -> ExtensionTable {
        let table = ExtensionTable(
            CompressionAgreement.extensionName, offer: offer,
            parameters: [
                ("server_no_context_takeover", EXTARG_NONE), ("client_no_context_takeover", EXTARG_NONE),
                ("server_max_window_bits", EXTARG_OPT_DEC), ("client_max_window_bits", EXTARG_OPT_DEC),
            ])
        table.list[0].callback = { _, _, wsi, reason, _, argument, _ in
            guard let wsi else { return -1 }
            return deflateCallback(wsi, reason, argument)
        }
        return table
    }
}

/// What lws calls for the extension on one connection.
private func deflateCallback(
    _ wsi: OpaquePointer, _ reason: lws_extension_callback_reasons, _ argument: UnsafeMutableRawPointer?
) -> Int32 {
    switch reason {
    case LWS_EXT_CB_CLIENT_CONSTRUCT:
        guard let user = lws_wsi_user(wsi) else { return -1 }
        return LoopContext.callback(of: wsi) { held in
            // Alive: an attempt retains the session until `attemptEnded`.
            let session = Unmanaged<ClientSession>.fromOpaque(user).takeUnretainedValue()
            guard case .webSocket(let role) = session.role, let options = session.vhost?.deflate.options else {
                return -1
            }
            argument?.assumingMemoryBound(to: UnsafePointer<lws_ext_options>.self).pointee = UnsafePointer(options)
            return role.beginCompression(held) ? 0 : -1
        } ?? -1
    // What comes in is decompressed when lws has delivered it; what lws is given to send is compressed already, or is not to
    // be.
    case LWS_EXT_CB_PAYLOAD_RX, LWS_EXT_CB_PAYLOAD_TX: return clws_extension_leave_it
    // What the server has answered is in the agreement, read and checked. LWS_EXT_CB_DESTROY comes when the session may have
    // gone: nothing of it is looked at here.
    default: return 0
    }
}

extension WebSocketRole {
    /// The server has agreed. Returns whether this side can.
    fileprivate func beginCompression(_ held: borrowing HeldLoop) -> Bool {
        guard let agreement, compression == nil else { return false }
        compression = CompressedTraffic(agreement, held)
        return compression != nil
    }
}
