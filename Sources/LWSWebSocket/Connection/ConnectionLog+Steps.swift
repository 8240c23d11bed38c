// The steps of a connection's life, in the words of its log, and counted.

internal import HTTPTypes
internal import Logging

extension ConnectionLog {
    /// The host's name has been looked up.
    func resolved(_ route: Route, to addresses: [ResolvedAddress]) {
        write(
            .debug, "looked up",
            [
                "ws_name": .string(route.nameToResolve.name),
                "ws_addresses": .array(addresses.map { .string($0.numeric) }),
            ])
    }

    /// One of several addresses, perhaps.
    func cannotUse(_ address: ResolvedAddress, _ failure: WebSocketError) {
        write(
            .debug, "the address cannot be used",
            failure.facts.merging(["ws_address": .string(address.numeric)]) { $1 })
    }

    /// The attempt under way has come so far.
    func write(_ step: OpeningStep) {
        let facts: Logger.Metadata =
            switch step {
            case .connecting(let address): ["ws_address": .string(address.numeric)]
            case .proxy(let name): ["ws_proxy": .string(name)]
            case .resolving, .securing, .answer: [:]
            }
        write(.debug, "\(step.name)", facts)
    }
}

extension Connection {
    /// Log and metrics are told with the connection's lock released: what takes them is the application's.
    func tell(of milestone: ConnectionState.Milestone) {
        if ClientMetrics.isOn { count(milestone) }
        guard log.takes(.info) else { return }
        switch milestone {
        case .opened: log.write(.debug, "open", query { $0.opening })
        case .closing: log.write(.debug, "closing", ending?.closure.facts ?? [:])
        case .ended: tellLogOfEnd()
        }
    }

    private func count(_ milestone: ConnectionState.Milestone) {
        switch milestone {
        case .opened: metrics.opened()
        case .closing: break
        case .ended:
            if let ending = query({ $0.endingOnceOpen }) { metrics.ended(by: ending.initiator) }
        }
    }

    private func tellLogOfEnd() {
        guard let ending = query({ $0.endingOnceOpen }) else { return }
        if events.isLoss(ending) {
            log.write(.info, "lost", ending.facts(host: url.host))
        } else {
            log.write(.debug, "closed", ending.facts(host: url.host))
        }
    }
}

extension Ending {
    fileprivate func facts(host: String) -> Logger.Metadata {
        var facts = closure.facts
        facts["ws_clean"] = .stringConvertible(closure.isClean)
        if isFault { facts.merge(readError(host: host).facts) { $1 } }
        // The reason of this side's close frame says the same, and is ours.
        if let violation { facts["ws_error"] = .string(violation.words(host: host)) }
        return facts
    }
}

extension ConnectionState {
    /// What the handshake has led to.
    fileprivate var opening: Logger.Metadata {
        var facts: Logger.Metadata = ["ws_compresses": .stringConvertible(compresses)]
        if let head { facts["ws_status"] = .stringConvertible(head.response.status.code) }
        if let tlsInfo {
            facts["ws_tls"] = .string("\(tlsInfo.version), \(tlsInfo.cipherSuite)")
            facts["ws_tls_resumed"] = .stringConvertible(tlsInfo.isResumed)
        }
        return facts
    }
}

extension WebSocketError.Closure {
    /// Without the reason, which may say anything.
    fileprivate var facts: Logger.Metadata {
        ["ws_close_code": .stringConvertible(code), "ws_closed_by": .string("\(initiator)")]
    }
}

extension WebSocketError {
    /// For a log.
    var facts: Logger.Metadata {
        var facts: Logger.Metadata = ["ws_error_code": .string("\(code)")]
        if let closure { facts.merge(closure.facts) { $1 } }
        if let loggedDescription { facts["ws_error"] = .string(loggedDescription) }
        return facts
    }

    /// The description, which has no secret in it but the reason of a close frame. `nil` where it quotes that.
    var loggedDescription: String? {
        let clean = Redaction([]).clean
        let quotes = closure.map { !$0.reason.isEmpty && description.contains(clean($0.reason)) } ?? false
        return quotes ? nil : clean(description)
    }
}
