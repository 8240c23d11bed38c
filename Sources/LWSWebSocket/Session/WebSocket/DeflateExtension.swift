// permessage-deflate as lws knows it: lws's own extension behind a callback of ours.

internal import CLibWebSockets
internal import LWSServiceLoop
internal import Logging

/// The list of extensions that lws is given with a vhost. Lives as long as the vhost does.
final class DeflateExtension {
    private static let count = 2
    private let list: UnsafeMutablePointer<lws_extension>

    /// What lws offers by itself; another offer replaces it in the request (``HandshakeRequest``).
    static let offer = CompressionOptions().offer

    init() {
        list = .allocate(capacity: Self.count)
        list.initialize(repeating: lws_extension(), count: Self.count)
        list[0].name = UnsafePointer(strdup(CompressionOptions.extensionName))
        list[0].client_offer = UnsafePointer(strdup(Self.offer))
        list[0].callback = { _, list, wsi, reason, state, argument, length in
            guard let wsi else { return -1 }
            return deflateCallback(list, wsi, reason, state, argument, length)
        }
    }

    deinit {
        free(UnsafeMutableRawPointer(mutating: list[0].name))
        free(UnsafeMutableRawPointer(mutating: list[0].client_offer))
        list.deinitialize(count: Self.count)
        list.deallocate()
    }

    var pointer: UnsafePointer<lws_extension> { UnsafePointer(list) }

    /// Whether this build of lws has permessage-deflate.
    static let isAvailable: Bool = {
        guard !clws_has_deflate() else { return true }
        Logger(label: "lws").notice(
            "libwebsockets was built without extensions (LWS_WITHOUT_EXTENSIONS): messages are not compressed")
        return false
    }()
}

/// What lws calls for the extension on one connection. `state` is what lws's own extension keeps for it.
private func deflateCallback(
    _ list: UnsafePointer<lws_extension>?, _ wsi: OpaquePointer, _ reason: lws_extension_callback_reasons,
    _ state: UnsafeMutableRawPointer?, _ argument: UnsafeMutableRawPointer?, _ length: Int
) -> Int32 {
    // Comes after LWS_CALLBACK_WSI_DESTROY, in which the session has freed the state and may have gone itself.
    guard reason != LWS_EXT_CB_DESTROY else { return 0 }
    guard let list, let user = lws_wsi_user(wsi) else { return -1 }
    return LoopContext.callback(of: wsi) { held in
        // Alive: an attempt retains the session until `attemptEnded`.
        let session = Unmanaged<ClientSession>.fromOpaque(user).takeUnretainedValue()
        guard case .webSocket(let role) = session.role else { return -1 }
        return role.handleExtension(reason, list, wsi, state, argument, held)
    } ?? -1
}

extension WebSocketRole {
    fileprivate func handleExtension(
        _ reason: lws_extension_callback_reasons, _ list: UnsafePointer<lws_extension>, _ wsi: OpaquePointer,
        _ state: UnsafeMutableRawPointer?, _ argument: UnsafeMutableRawPointer?, _ held: borrowing HeldLoop
    ) -> Int32 {
        switch reason {
        case LWS_EXT_CB_CLIENT_CONSTRUCT:
            guard let agreement, compression == nil else { return -1 }
            guard clws_deflate(wsi, list, reason, state, argument, 0) == 0 else { return -1 }
            // For this reason alone `state` is where the state's address has been put.
            guard let made = state?.assumingMemoryBound(to: UnsafeMutableRawPointer?.self).pointee else { return -1 }
            compression = CompressedTraffic(agreement, list, state: made, held)
            guard compression == nil else { return 0 }
            _ = clws_deflate(wsi, list, LWS_EXT_CB_DESTROY, made, nil, 0)
            return -1
        case LWS_EXT_CB_OPTION_SET:
            // What the server has answered is in the agreement, read and checked.
            return 0
        case LWS_EXT_CB_OPTION_CONFIRM:
            return compression?.setOptions(wsi) ?? -1
        case LWS_EXT_CB_PAYLOAD_RX, LWS_EXT_CB_PAYLOAD_TX:
            // What comes in is decompressed when lws has delivered it; what lws is given to send is compressed already,
            // or is not to be.
            return clws_extension_leave_it
        default:
            return 0
        }
    }
}
