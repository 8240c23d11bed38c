// How far a connection has come that is being made.

/// What an attempt to connect waits for, to be named where the time is up.
enum OpeningStep: Sendable, Hashable {
    /// The name has been handed to the system's resolver.
    case resolving
    /// TCP, to this address.
    case connecting(ResolvedAddress)
    /// TCP is connected to a proxy of this name, which has been asked for a tunnel.
    case proxy(String)
    /// The TLS handshake.
    case securing
    /// The answer to the upgrade's request.
    case answer

    /// What has not happened.
    var words: String {
        switch self {
        case .resolving: "the look-up of its name did not answer"
        case .connecting(let address): "nobody answered at \(address.numeric)"
        case .proxy(let name): "the proxy \(name) did not answer"
        case .securing: "its TLS handshake was not complete"
        case .answer: "it did not answer the WebSocket handshake"
        }
    }
}
