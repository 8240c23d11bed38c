// The connection's way to its session on the loop.

internal import LWSServiceLoop

/// What callers hold of a session.
final class ClientTransport: Transport {
    private let connection: Connection
    private let loop: ServiceLoop
    let line: LoopBound<Line>
    private let unheldSend: UnheldSend

    /// A session that has not begun to connect.
    init(
        _ connection: Connection, _ request: HandshakeRequest, to addresses: [ResolvedAddress],
        until deadline: Deadline, tls: TLSContext?, on lease: LoopLease
    ) {
        let role = WebSocketRole(connection, request)
        let session = ClientSession(
            as: .webSocket(role), by: connection.route, to: addresses, until: deadline, tls: tls, lease: lease)
        self.connection = connection
        loop = lease.loop
        unheldSend = role.unheldSend
        line = LoopBound(Line(session: session, role: role), on: loop)
    }

    func start() {
        guard !onLoop({ $0.session.connectToNext($1) }) else { return }
        connection.openingFailed(
            WebSocketError(.connection, "The client's service loop has ended", host: connection.url.host))
    }

    func requestWrite() { onLoop { $0.role.requestWrite($0.session, $1) } }
    func sendNow() -> Bool { loop.hold { held in sendNow(held) } ?? false }
    func trySendNow() -> Bool { loop.tryHold { held in sendNow(held) } ?? false }

    private func sendNow(_ held: borrowing HeldLoop) -> Bool {
        let line = line.get(held)
        return line.role.sendNow(line.session, held)
    }

    func attend() {
        let attend = { @Sendable (line: Line, held: borrowing HeldLoop) in
            line.role.callerWaits(line.session, held)
            line.watched?.attend(held)
        }
        if loop.tryHold({ held in attend(line.get(held), held) }) == nil { onLoop(attend) }
    }

    func sendDirectly(_ message: OutgoingMessage) -> DirectSending {
        let turn = loop.hold { held in
            let line = line.get(held)
            return line.role.sendDirectly(message, line.session, held)
        }
        return switch turn ?? .over(.refused) {
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
        let settle = { @Sendable (line: Line, held: borrowing HeldLoop) in line.role.settle(line.session, held) }
        if loop.hold({ held in settle(line.get(held), held) }) == nil { onLoop(settle) }
        return .begun
    }

    func wait(for semaphore: MonotonicSemaphore, until deadline: Deadline, _ isWaitedFor: () -> Bool) -> Bool {
        loop.wait(
            for: semaphore, until: deadline,
            serving: { held in
                let line = line.get(held)
                line.role.callerWaits(line.session, held)
                return line.watched
            }, isNeeded: isWaitedFor)
    }

    func resumeReading() { onLoop { $0.role.resumeReading($0.session, $1) } }
    func endAfter(_ limit: Duration) { onLoop { $0.session.endAfter(limit, $1) } }
    func abort() { onLoop { $0.session.abort($1) } }
    var isOnLoop: Bool { loop.isHeldByCurrentThread }

    @discardableResult
    private func onLoop(_ body: @escaping @Sendable (Line, borrowing HeldLoop) -> Void) -> Bool {
        loop.perform { [line] held in body(line.get(held), held) }
    }
}

extension ClientTransport {
    /// What lives on the loop: a session, and its role, which is asked for most.
    struct Line {
        let session: ClientSession
        let role: WebSocketRole

        /// The socket, where callers may wait for it.
        var watched: WatchedSocket? { role.reading.watched }
    }
}
