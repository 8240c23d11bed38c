// One client of a soak.

import ArgumentParser
import LWSServiceLoop
import LWSWebSocket
import TestSupport

/// What a client is made to count wrongly, to show that somebody notices.
enum Tampering: String, ExpressibleByArgument {
    case lose, double, reorder
}

/// Sends messages some at a time and reads them back, until it is told to stop. Half of the clients connect again by
/// themselves (`retryConfig`), the others are made anew after each loss; of each half, half are compressed.
final class SoakClient: Sendable {
    private let number: Int
    private let server: SoakServer
    private let soak: Soak
    private let seed: UInt64
    private let fault: Tampering?
    /// Connections that were lost, as `onRetry` tells.
    private let losses = Locked(0)

    private var isRetrying: Bool { number / 2 % 2 == 0 }
    private static let patience = Duration.seconds(20)
    /// After so many of them, of ten seconds each, a message counts as lost.
    private static let mostSilences = 4

    init(_ number: Int, _ server: SoakServer, _ soak: Soak, seed: UInt64, _ fault: Tampering?) {
        self.number = number
        self.server = server
        self.soak = soak
        self.seed = seed
        self.fault = fault
    }

    func run() {
        defer { soak.clientEnded(number) }
        var state = Books(random: SeededGenerator(seed: seed &+ UInt64(number) &* 77))
        let pause = MonotonicSemaphore()
        while !soak.isStopping {
            do throws(WebSocketError) {
                let client = try WebSocketClient(server.url, configuration: configuration)
                soak.count { $0.connections += 1 }
                try use(client, &state)
                // Nothing is under way now.
                try client.close(timeout: .seconds(5))
            } catch {
                let isExpected = error.isRetriable || error.closure?.initiator == .network
                if !isExpected { soak.fail("client \(number): \(error.code): \(error) \(error.libraryDetail ?? "")") }
                soak.count { $0.losses += 1 }
                // The server is being started again.
                _ = pause.wait(until: Deadline(after: .milliseconds(100)))
            }
            state.ledger.connectionEnded()
            report(&state)
        }
    }

    private struct Books {
        var ledger = MessageLedger()
        var random: SeededGenerator
        var reported = (returned: 0, missing: 0)
        var held: Int?
        /// Reads in a row that have ended without a message.
        var silences = 0
    }

    /// Sends and reads until it is time to close, or the connection is lost.
    private func use(_ client: WebSocketClient, _ state: inout Books) throws(WebSocketError) {
        for _ in 0..<(20 + state.random.number(below: 2000)) where !soak.isStopping {
            for _ in 0...state.random.number(below: 12) { try send(client, &state) }
            while state.ledger.awaited > 0 { try read(client, &state) }
            if state.random.number(below: 50) == 0 { _ = try client.roundTripTime(timeout: Self.patience) }
            report(&state)
        }
    }

    private func send(_ client: WebSocketClient, _ state: inout Books) throws(WebSocketError) {
        let sent = state.ledger.willSend(losses: losses.withLock { $0 })
        do throws(WebSocketError) {
            switch SoakMessage.make(number, sent) {
            case .text(let text): try client.writeTextMessage(text)
            case .binary(let bytes): try client.writeBinaryMessage(bytes)
            }
        } catch {
            // With a client that connects again the next message may go out.
            state.ledger.maySendNever(sent)
            guard isRetrying, error.closure?.initiator == .network else { throw error }
        }
    }

    private func read(_ client: WebSocketClient, _ state: inout Books) throws(WebSocketError) {
        let message: WebSocketMessage
        do throws(WebSocketError) {
            message = try client.readMessage()
        } catch  where error.code == .readTimedOut {
            // The echo of what was under way when the connection was lost does not come. On one that was not it is late,
            // where the machine has much else to do.
            let lost = losses.withLock { $0 }
            state.silences += 1
            guard state.ledger.awaitsLostOnly(losses: lost) || state.silences == Self.mostSilences else { return }
            state.silences = 0
            check { () throws(MessageLedger.Fault) in try state.ledger.nothingCame(losses: lost) }
            state.ledger.connectionEnded()
            return
        }
        state.silences = 0
        guard let place = SoakMessage.read(message), place.client == number,
            message == SoakMessage.make(number, place.number)
        else { return soak.fail("client \(number): a message came back changed") }
        soak.count { $0.bytes += SoakMessage.size(message) }
        let lost = losses.withLock { $0 }
        for counted in tampered(place.number, &state) {
            check { () throws(MessageLedger.Fault) in try state.ledger.received(counted, losses: lost) }
        }
    }

    private func check(_ body: () throws(MessageLedger.Fault) -> Void) {
        do throws(MessageLedger.Fault) { try body() } catch { soak.fail("client \(number): \(error)") }
    }

    private func tampered(_ received: Int, _ state: inout Books) -> [Int] {
        if let held = state.held {
            state.held = nil
            return [received, held]
        }
        guard let fault, received % 1000 == 999, state.ledger.awaited > 1 else { return [received] }
        switch fault {
        case .lose: return []
        case .double: return [received, received]
        case .reorder:
            state.held = received
            return []
        }
    }

    private func report(_ state: inout Books) {
        soak.progressed(number)
        let (returned, missing) = (state.ledger.returned, state.ledger.missing)
        let reported = state.reported
        soak.count {
            $0.returned += returned - reported.returned
            $0.missing += missing - reported.missing
        }
        state.reported = (returned, missing)
    }

    private var configuration: ClientConfiguration {
        var configuration = ClientConfiguration()
        configuration.maxFrameSize = 1 << 20
        // Long for a server that answers, short for one that has forgotten.
        configuration.readTimeout = isRetrying ? .seconds(10) : Self.patience
        configuration.writeTimeout = Self.patience
        configuration.handShakeTimeout = Self.patience
        configuration.webSocketCompressionEnabled = number / 4 % 2 == 0
        if isRetrying {
            configuration.retryConfig = WebSocketRetryConfig(interval: .milliseconds(50), backOffFactor: 2) {
                [losses] _ in losses.withLock { $0 += 1 }
            }
            configuration.retryConfig?.maxWaitInterval = .seconds(1)
        }
        if let root = try? CertificateAuthority.shared.rootFile {
            var settings = ClientSecureSocket()
            settings.cert = .pem(.file(root))
            configuration.secureSocket = settings
        }
        return configuration
    }
}
