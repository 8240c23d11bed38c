// The connection's way to its session on the loop.

internal import LWSServiceLoop

/// What callers hold of a session.
struct ClientTransport: Transport {
    private let connection: Connection
    private let loop: ServiceLoop
    private let session: LoopBound<ClientSession>

    /// A session that has not begun to connect.
    init(
        _ connection: Connection, _ request: HandshakeRequest, to addresses: [ResolvedAddress],
        until deadline: Deadline, tls: TLSContext?, on lease: LoopLease
    ) {
        let session = ClientSession(
            connection: connection, request: request, addresses: addresses, deadline: deadline, tls: tls, lease: lease
        )
        self.connection = connection
        loop = lease.loop
        self.session = LoopBound(session, on: loop)
    }

    func start() {
        guard !onLoop({ $0.connectToNext($1) }) else { return }
        connection.openingFailed(
            WebSocketError(.connection, "The client's service loop has ended", host: connection.url.host))
    }

    func requestWrite() { onLoop { $0.requestWrite($1) } }
    func resumeReading() { onLoop { $0.resumeReading($1) } }
    func endAfter(_ limit: Duration) { onLoop { $0.endAfter(limit, $1) } }
    func abort() { onLoop { $0.abort($1) } }
    var isOnLoop: Bool { loop.isHeldByCurrentThread }

    @discardableResult
    private func onLoop(_ body: @escaping @Sendable (ClientSession, borrowing HeldLoop) -> Void) -> Bool {
        loop.perform { [session] held in body(session.get(held), held) }
    }
}
