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
            let addresses = try resolve(route, semaphore)
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
                return try wait(semaphore, for: outcome, "it did not answer").get()
            } catch {
                // Nothing of it goes on without anybody who wants it.
                loop.perform { session.get($0).abort($0) }
                throw error
            }
        }
    }

    private func resolve(_ route: Route, _ semaphore: MonotonicSemaphore) throws(WebSocketError) -> [ResolvedAddress]
    {
        let (name, words) = route.nameToResolve
        let resolution = Locked<NameResolution?>(nil)
        surroundings.resolver.resolve(name, deadline: deadline) { result in
            resolution.withLock { $0 = result }
            semaphore.signal()
        }
        switch try wait(semaphore, for: resolution, OpeningStep.resolving.words) {
        case .addresses(let addresses): return addresses
        case .failure(let reason):
            throw WebSocketError(.connection, "\(words) could not be resolved: \(reason)", host: host)
        }
    }

    private func wait<Value: Sendable>(
        _ semaphore: MonotonicSemaphore, for value: Locked<Value?>, _ what: String
    ) throws(WebSocketError) -> Value {
        while true {
            if surroundings.cancellation.isCancelled {
                throw WebSocketError(.connectionClosure, "The client was closed", host: host)
            }
            if let value = value.withLock({ $0 }) { return value }
            guard semaphore.wait(until: deadline) else {
                throw WebSocketError(.handshakeTimedOut, "\(host) took too long: \(what)", host: host)
            }
        }
    }
}
