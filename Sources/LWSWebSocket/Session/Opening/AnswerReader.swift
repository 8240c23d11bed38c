// Opening/: from the first byte sent to the answer read.
//
// Holds: reaching a server, the tunnel through a proxy, the request as libwebsockets writes it and as it is to be, the answer,
// read before libwebsockets reads it, and what stands in for a socket meanwhile.

internal import CLibWebSockets
internal import HTTPTypes
internal import LWSServiceLoop

/// Looks at what a server answers until it is clear what that is, while lws is kept from reading.
///
/// lws takes the first head for the answer that counts, tells of no field that it has no name for before 4.3, and holds about
/// eighty of the others (roles/http/parsers.c: `frags`). Here interim answers are passed over, and all fields are read, in
/// however many pieces they come. Only an answer with 101 is left to lws, which upgrades the connection; every other is
/// taken to its end.
///
/// Over TLS one record shows itself at a time. Where the head of a 101 has several, lws is handed one after the other, as
/// they are seen.
final class AnswerReader: ArrivalWatcher, PassFinisher {
    enum Outcome: Equatable {
        /// 101, whose head lws has to read yet. `head` says what it says.
        case upgrade
        /// Any other, with as much of its body as there is.
        case answer
        /// No HTTP/1 answer.
        case invalid
        /// The head, or what came in front of it, is longer than is taken.
        case tooLong
        /// A server that sends its head in pieces of a few bytes, over TLS, has said that it is an interim answer when lws
        /// had been given the beginning.
        case interimInPieces
        /// TCP or TLS has ended before there was all of an answer.
        case ended
    }

    /// The most bytes of a head, and of all interim answers together.
    static let longestHead = Int(LoopContext.headerLimit)

    private let source: AnswerSource
    /// Until nobody looks any more; see ``ReachingWatch``.
    private var session: ClientSession?
    /// Whether this may be the answer to an upgrade; and then a body is not waited for.
    private let expectsUpgrade: Bool
    private let longestBody: Int
    private var ticket: ArrivalWatch.Ticket?

    private(set) var head: ResponseHead?
    private(set) var body: ResponseBody?
    /// What has been taken of the head that is being read.
    private var taken: [UInt8] = []
    /// lws has it.
    private var lwsHasPart = false
    private var interim = 0

    /// What there is of the head that is being read.
    private(set) var seen: [UInt8] = []

    /// The request is about to be sent. To be asked to begin when lws has done that.
    init(_ wsi: OpaquePointer, _ session: ClientSession, expectsUpgrade: Bool, longestBody: Int) {
        source = AnswerSource(wsi)
        self.session = session
        self.expectsUpgrade = expectsUpgrade
        self.longestBody = longestBody
    }

    /// lws has sent the request, or the beginning of it. Keeps lws from reading once all of it is sent.
    func passEnds(_ held: borrowing HeldLoop) {
        guard ticket == nil, let session, session.wsi != nil else { return }
        // lws asks for that even where there is nothing left to write. A pass might have it read, too.
        held.serveWriting(source.descriptor)
        guard let wsi = session.wsi, session.role.hasSentRequest else { return }
        let watch = held.resident(ArrivalWatch.self)
        if let watch { source.hold(wsi, watch) }
        // Of a TCP socket nothing is taken until the head is complete.
        ticket = watch?.watch(source.descriptor, each: source.showsAll, self)
        if ticket == nil { session.cannotWatch(held) }
    }

    /// Nobody looks any more. To be called before lws closes the socket.
    func stop(_ held: borrowing HeldLoop) {
        session = nil
        unwatch(held)
        source.abandon()
    }

    private func unwatch(_ held: borrowing HeldLoop) {
        guard let ticket else { return }
        self.ticket = nil
        held.resident(ArrivalWatch.self)?.stop(ticket)
    }

    func arrived(_ held: borrowing HeldLoop) {
        guard let session, let outcome = read(held) else { return }
        unwatch(held)
        session.answered(outcome, self, held)
    }

    /// lws is about to close the connection: what is there is all that comes.
    func lookAtLast(_ held: borrowing HeldLoop) -> Outcome {
        let outcome = read(held, isOver: true)
        stop(held)
        return outcome ?? .ended
    }

    /// Has lws read the answer that was looked at. It may be gone after that.
    func handOver(_ held: borrowing HeldLoop) {
        guard let session, let wsi = session.wsi, let head else { return }
        self.session = nil
        let hadMemory = source.handOver(head, wsi, held)
        // Where lws did not come to judge it.
        if session.wsi != nil { source.release(wsi) } else { source.abandon() }
        if !hadMemory { session.lostAnswer(held) }
    }

    /// lws has read the head.
    func wasRead(_ wsi: OpaquePointer) { source.release(wsi) }

    // MARK: - Reading

    private enum Step {
        case again
        case wait
        case done(Outcome)
    }

    private func read(_ held: borrowing HeldLoop, isOver: Bool = false) -> Outcome? {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: Self.longestHead, alignment: 1)
        defer { buffer.deallocate() }
        while let session, session.wsi != nil {
            switch head == nil ? readHead(buffer, isOver: isOver, held) : readBody(buffer) {
            case .again: break
            case .wait: return nil
            case .done(let outcome): return outcome
            }
        }
        return nil
    }

    private func readHead(
        _ buffer: UnsafeMutableRawBufferPointer, isOver: Bool, _ held: borrowing HeldLoop
    ) -> Step {
        // Before the look at the bytes, which are complete then. TLS tells of its end by itself.
        let hasEnded = isOver || (source.showsAll && SocketPoll.hasEnded(source.descriptor))
        switch source.look(into: buffer) {
        case .ended: return .done(.ended)
        case .nothing: return .wait
        case .bytes(let count):
            seen = taken + buffer.prefix(count)
            switch ResponseHead.read(seen) {
            case .invalid: return .done(.invalid)
            case .incomplete(let status):
                guard seen.count < Self.longestHead else { return .done(.tooLong) }
                guard !source.showsAll else { return hasEnded ? .done(.ended) : .wait }
                return takePart(count, status, isOver: isOver, held)
            case .complete(let found):
                guard found.length <= Self.longestHead else { return .done(.tooLong) }
                return complete(found)
            }
        }
    }

    /// A part of the head makes room for the next.
    private func takePart(_ count: Int, _ status: Int?, isOver: Bool, _ held: borrowing HeldLoop) -> Step {
        // Whether lws may have to read it.
        let mayUpgrade = expectsUpgrade && (status == nil || status == 101)
        taken = seen
        if mayUpgrade {
            guard !isOver else { return .done(.ended) }
            lwsHasPart = true
            guard source.handOn(held) else {
                session?.lostAnswer(held)
                return .wait
            }
        } else {
            source.take(count)
        }
        return .again
    }

    private func complete(_ found: ResponseHead) -> Step {
        let inSource = found.length - taken.count
        if ResponseHead.isInterim(found.status) {
            guard !lwsHasPart else { return .done(.interimInPieces) }
            source.take(inSource)
            taken = []
            interim += found.length
            return interim <= Self.longestHead ? .again : .done(.tooLong)
        }
        head = found
        if expectsUpgrade, found.status == 101 { return .done(.upgrade) }
        source.take(inSource)
        body = ResponseBody(of: found, limit: longestBody)
        return .again
    }

    private func readBody(_ buffer: UnsafeMutableRawBufferPointer) -> Step {
        guard body?.progress == .more else { return .done(.answer) }
        switch source.look(into: buffer, taking: true) {
        case .bytes(let count):
            body?.add(.init(rebasing: buffer.prefix(count)))
            return .again
        case .nothing:
            // What comes later than the head of a refusal is not waited for.
            return expectsUpgrade ? .done(.answer) : .wait
        case .ended:
            body?.end()
            return .done(.answer)
        }
    }
}
