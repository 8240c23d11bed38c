// The connection's way to its session on the loop.

internal import LWSServiceLoop

/// What callers hold of a session.
final class ClientTransport: Transport {
    private let connection: Connection
    private let loop: ServiceLoop
    let session: LoopBound<ClientSession>
    private let unheldSend: UnheldSend

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
        unheldSend = session.unheldSend
        self.session = LoopBound(session, on: loop)
    }

    func start() {
        guard !onLoop({ $0.connectToNext($1) }) else { return }
        connection.openingFailed(
            WebSocketError(.connection, "The client's service loop has ended", host: connection.url.host))
    }

    func requestWrite() { onLoop { $0.requestWrite($1) } }
    func trySendNow() -> Bool { loop.tryHold { held in session.get(held).sendNow(held) } ?? false }
    func attend() {
        let isDone = loop.tryHold { held in session.get(held).reading.watched?.attend(held) } != nil
        if !isDone { onLoop { $0.reading.watched?.attend($1) } }
    }
    func sendDirectly(_ message: OutgoingMessage) -> DirectSending {
        switch loop.hold({ held in session.get(held).sendDirectly(message, held) }) ?? .over(.refused) {
        case .over(let outcome): outcome
        case .unheld(let bytes, let descriptor): send(bytes, of: message, to: descriptor)
        }
    }

    private func send(
        _ bytes: UnsafeMutableRawBufferPointer, of message: OutgoingMessage, to descriptor: Int32
    ) -> DirectSending {
        let sent = Socket.send(UnsafeRawBufferPointer(bytes), to: descriptor)
        guard sent != bytes.count else {
            if unheldSend.end() { flush() }
            return .sent
        }
        connection.begun(message)
        let rest = sent.map { UnsafeMutableRawBufferPointer(rebasing: bytes.dropFirst($0)) }
        unheldSend.end(leaving: UnheldSend.Rest(message: message, bytes: rest))
        let isSettled = loop.hold { held in session.get(held).settle(held) } != nil
        if !isSettled { onLoop { $0.settle($1) } }
        return .begun
    }

    func sendNow() -> Bool { loop.hold { held in session.get(held).sendNow(held) } ?? false }

    func wait(for semaphore: MonotonicSemaphore, until deadline: Deadline, _ isWaitedFor: () -> Bool) -> Bool {
        loop.wait(
            for: semaphore, until: deadline, serving: { held in session.get(held).reading.watched },
            isNeeded: isWaitedFor)
    }

    func resumeReading() { onLoop { $0.resumeReading($1) } }
    func endAfter(_ limit: Duration) { onLoop { $0.endAfter(limit, $1) } }
    func abort() { onLoop { $0.abort($1) } }
    var isOnLoop: Bool { loop.isHeldByCurrentThread }

    @discardableResult
    private func onLoop(_ body: @escaping @Sendable (ClientSession, borrowing HeldLoop) -> Void) -> Bool {
        loop.perform { [session] held in body(session.get(held), held) }
    }
}
