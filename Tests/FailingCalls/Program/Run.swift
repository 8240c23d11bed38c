// What is expected while calls fail, and afterwards.

import LWSServiceLoop
import LWSWebSocket

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// One life again and again, each time with another call that fails.
final class Run {
    private let life: Life
    private let peers: Peers
    private let loop = WebSocketLoop()
    private let isVerbose: Bool
    /// Descriptors that were open before the first life.
    private var before = 0
    /// A client of the same loop, which is open all the time. It is there from the second failure on: what is set up once
    /// is to fail, too.
    private var neighbour: WebSocketClient?

    /// Seconds after which a life hangs: the limits of its calls are shorter.
    private static let patience: UInt32 = 600

    init(_ life: Life, _ peers: Peers, isVerbose: Bool) {
        self.life = life
        self.peers = peers
        self.isVerbose = isVerbose
        life.prepare()
        before = openDescriptors
    }

    /// Has one of these calls fail after the other.
    func haveFail(_ call: FailingCall, _ numbers: ClosedRange<Int>) {
        for number in numbers where !haveFail(call, number) { return say("\(call.name): \(number - 1)") }
    }

    /// Has one of these calls fail. Returns whether there was one.
    func haveFail(_ call: FailingCall, _ number: Int) -> Bool {
        let what = "\(call.name) \(number)"
        alarm(Self.patience)
        var error: WebSocketError?
        let start = ContinuousClock.now
        let place = call.failing(number) {
            error = outcome { () throws(WebSocketError) in try life.live(peers, on: loop) }
        }
        guard let place else { return false }
        let time = Int((ContinuousClock.now - start) / .milliseconds(1))
        if isVerbose { say("\(what) \(time) \(words(error)) @ \(place)") }
        if place.contains("BIO_new_socket ") { lostByLibrary += 1 }
        if !isExpected(error) { say("WRONG \(what): \(words(error)) @ \(place)") }
        // Of those that are refused there are thousands, and nothing of one is left for the next.
        if life.refusal == nil || !call.isMemory || number % 50 == 1 { check(what) }
        return true
    }

    /// It may go well all the same, or end in an error that says what a connection ends in, never in one that blames the server or
    /// the application, nor by a time limit.
    private func isExpected(_ error: WebSocketError?) -> Bool {
        guard let error else { return life.refusal == nil }
        switch error.code {
        case .connection, .auth: return error.isRetriable
        case .connectionClosure: return error.closure?.initiator == .network
        case .ssl: return error.isRetriable || life.refusal.map { error.description.contains($0) } == true
        default: return false
        }
    }

    /// The other client of the loop notices nothing, and everything can be done again.
    private func check(_ what: String) {
        let again = outcome { () throws(WebSocketError) in try life.live(peers, on: loop) }
        let isRight =
            life.refusal.map { again?.code == .ssl && again?.description.contains($0) == true } ?? (again == nil)
        if !isRight { say("WRONG \(what), afterwards: \(words(again))") }
        let other = outcome { () throws(WebSocketError) in
            if neighbour == nil {
                neighbour = try WebSocketClient(peers.plain, configuration: Life.patient, loop: loop)
            }
            try neighbour?.writeTextMessage("neighbour")
            guard try neighbour?.readTextMessage() == "neighbour" else { fatalError("another message") }
        }
        if let other { say("WRONG \(what), beside it: \(words(other))") }
    }

    /// Nothing is left open.
    func finish() {
        neighbour = nil
        // A loop ends a second after its last client.
        let deadline = Deadline(after: Life.limit)
        while openDescriptors > before, !deadline.hasPassed {
            _ = MonotonicSemaphore().wait(until: Deadline(after: .milliseconds(20)))
        }
        if openDescriptors > before + lostByLibrary {
            say("WRONG: \(openDescriptors) descriptors are open, \(before) were before")
        }
    }

    /// lws forgets the socket where there is no memory for OpenSSL's connection (tls/openssl/openssl-client.c:
    /// lws_ssl_client_bio_create, 4.1.6).
    private var lostByLibrary = 0

    private var openDescriptors: Int { DirectoryNames.list("/proc/self/fd")?.count ?? .max }

    private func outcome(_ body: () throws(WebSocketError) -> Void) -> WebSocketError? {
        do throws(WebSocketError) {
            try body()
            return nil
        } catch {
            return error
        }
    }

    private func words(_ error: WebSocketError?) -> String {
        error.map { "\($0.code) \($0.isRetriable ? "retriable" : "final"): \($0)" } ?? "done"
    }

    private func say(_ line: String) {
        print(line)
        fflush(nil)
    }
}
