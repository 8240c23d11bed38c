// A blocking request over HTTP, by the loop of a client.

internal import LWSServiceLoop

/// Resolves, connects, sends and waits, all until one deadline, as an attempt to connect does; and through the client's
/// proxy, from its address.
struct HTTPCall {
    let post: HTTPPost
    let secureSocket: ClientSecureSocket
    let surroundings: AuthenticationSurroundings
    /// Not after that of the surroundings.
    let deadline: Deadline

    private var host: String { post.url.host }

    /// - Throws: `connection`, `ssl`, `invalidHandshake`, `payloadTooLarge`, `handshakeTimedOut`; `connectionClosure` where
    ///   the client is closed.
    func answer() throws(WebSocketError) -> HTTPAnswer {
        let route = try Route(
            to: post.url, through: surroundings.proxy, from: surroundings.localAddress)
        let tls = post.url.isSecure ? try TLSContextPool.shared.context(for: secureSocket) : nil
        let semaphore = MonotonicSemaphore()
        return try surroundings.cancellation.watched(by: { semaphore.signal() }) { () throws(WebSocketError) in
            let lookUp = LookUp(for: route, by: surroundings.resolver, until: deadline) { semaphore.signal() }
            let addresses = try wait(semaphore, OpeningStep.resolving.words, lookUp.addresses)
            let outcome = Locked<Result<HTTPAnswer, WebSocketError>?>(nil)
            let lease = try surroundings.loop.lease()
            let loop = lease.loop
            let exchange = HTTPExchange(post) { result in
                outcome.withLock { $0 = result }
                semaphore.signal()
            }
            let session = LoopBound(
                ClientSession(
                    as: .request(exchange), by: route, to: addresses, until: deadline, tls: tls, lease: lease),
                on: loop)
            guard loop.perform({ session.get($0).connectToNext($0) }) else {
                throw WebSocketError(.connection, "The client's service loop has ended", host: host)
            }
            do throws(WebSocketError) {
                return try wait(semaphore, "it did not answer") { () throws(WebSocketError) in
                    try outcome.withLock { $0 }?.get()
                }
            } catch {
                // Nothing of it goes on without anybody who wants it.
                loop.perform { session.get($0).abort($0) }
                throw error
            }
        }
    }

    private func wait<Value: Sendable>(
        _ semaphore: MonotonicSemaphore, _ what: String, _ value: () throws(WebSocketError) -> Value?
    ) throws(WebSocketError) -> Value {
        while true {
            if surroundings.cancellation.isCancelled {
                throw WebSocketError(.connectionClosure, "The client was closed", host: host)
            }
            if let value = try value() { return value }
            guard semaphore.wait(until: deadline) else {
                throw WebSocketError(.handshakeTimedOut, "\(host) took too long: \(what)", host: host)
            }
        }
    }
}
