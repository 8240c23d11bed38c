// What an application does with the peer's pongs.

/// Is told of the pongs that arrive (contract: "pingPongHandler").
///
/// Pings of the peer are answered by libwebsockets, which shows them to nobody: `lws_ws_client_rx_sm`
/// (lib/roles/ws/client-parser-ws.c in 4.1 to 4.5) keeps the payload for the pong and makes no callback. So there is
/// nothing here for pings.
public protocol PingPongHandler: Sendable {
    /// A pong has arrived: the answer to a ``WebSocketClient/ping(_:)``, with the same payload, or an unsolicited one.
    ///
    /// Pongs to pings that the client sends by itself, for ``ClientConfiguration/pingInterval`` and
    /// ``WebSocketClient/roundTripTime(timeout:)``, are not passed on.
    ///
    /// Called on a background thread, one call at a time and in the order in which the pongs came. It may block and
    /// may use the client. While 64 calls are outstanding the client reads nothing more from its socket, unless the handler
    /// itself waits for the client: then pongs go on to gather, and those beyond some 32,000 are dropped. So is a pong that
    /// comes while the system has no thread left to call on.
    func onPong(_ payload: [UInt8])
}
