// The steps of a connection's life, in the words of its log.

internal import HTTPTypes
internal import Logging

extension ConnectionLog {
    /// The host's name has been looked up.
    func resolved(_ addresses: [ResolvedAddress]) {
        write(.debug, "looked up", ["ws_addresses": .array(addresses.map { .string($0.numeric) })])
    }

    /// The attempt under way has come so far.
    func write(_ step: OpeningStep) {
        switch step {
        case .resolving: break
        case .connecting(let address): write(.debug, "TCP is connecting", ["ws_address": .string(address.numeric)])
        case .proxy(let name): write(.debug, "asking the proxy", ["ws_proxy": .string(name)])
        case .securing: write(.debug, "TLS handshake")
        case .answer: write(.debug, "asking for the upgrade")
        }
    }
}

extension Connection {
    /// The log is told with the connection's lock released: a log handler is the application's.
    func tellLog(of milestone: ConnectionState.Milestone) {
        guard log.takes(.info) else { return }
        switch milestone {
        case .opened: log.write(.debug, "open", query { $0.opening })
        case .closing: log.write(.debug, "closing", ending?.facts ?? [:])
        case .ended: tellLogOfEnd()
        }
    }

    private func tellLogOfEnd() {
        // Of an attempt that has failed its maker tells.
        guard let ending, query({ $0.hasOpened }) else { return }
        var facts = ending.facts
        if ending.isFault { facts.merge(ending.readError(host: url.host).facts) { $1 } }
        if ending.initiator == .network, events.mayReconnect {
            log.write(.info, "lost", facts)
        } else {
            log.write(.debug, "closed", facts)
        }
    }
}

extension ConnectionState {
    /// What the handshake has led to.
    fileprivate var opening: Logger.Metadata {
        var facts: Logger.Metadata = ["ws_compresses": .stringConvertible(compresses)]
        if let head { facts["ws_status"] = .stringConvertible(head.response.status.code) }
        if let subProtocol { facts["ws_subprotocol"] = .string(subProtocol) }
        if let tlsInfo {
            facts["ws_tls"] = .string("\(tlsInfo.version), \(tlsInfo.cipherSuite)")
            facts["ws_tls_resumed"] = .stringConvertible(tlsInfo.isResumed)
        }
        return facts
    }
}

extension Ending {
    /// Without the reason of a close frame, which the peer writes.
    fileprivate var facts: Logger.Metadata {
        let closure = closure
        return [
            "ws_close_code": .stringConvertible(closure.code), "ws_clean": .stringConvertible(closure.isClean),
            "ws_closed_by": .string("\(closure.initiator)"),
        ]
    }
}

extension WebSocketError {
    /// For a log. Neither a description nor what it quotes of the peer has a secret or a control character in it.
    var facts: Logger.Metadata { ["ws_error_code": .string("\(code)"), "ws_error": .string(description)] }
}
