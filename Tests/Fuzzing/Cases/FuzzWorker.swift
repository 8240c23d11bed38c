// Plays cases to a real client, one after the other.

import LWSEchoServer
import LWSServiceLoop
import LWSWebSocket
package import TestSupport

/// A case that did not end as it should.
package struct FuzzFault: Error, CustomStringConvertible, Sendable {
    package let description: String
}

/// Runs cases, with servers of its own, over TCP and TLS. The clients share the process's loop with everything else, and
/// with a healthy connection that is asked for an echo every now and then. One thread uses it.
package final class FuzzWorker {
    /// What the servers play, and what was wrong with what they have seen.
    private struct Current {
        var number = 0
        var play: Play?
        var running = 0
        var fault: String?

        /// Nothing for a client of a case before, who gave up before its connection was looked at.
        func play(for request: String) -> Play? {
            let target = request.split(separator: " ", maxSplits: 2).dropFirst().first ?? ""
            // Proxies are asked for another target, and redirects lead to one.
            let isElsewhere = play?.isHandshake == true || play?.seesFrames == false
            return target.hasPrefix(FuzzWorker.path(number)) || (isElsewhere && !target.hasPrefix("/case-"))
                ? play : nil
        }
    }

    private let current: Locked<Current>
    /// A script has ended.
    private let ended: MonotonicSemaphore
    let plain: RawServer
    let secure: RawServer
    private let healthyServer: EchoServer
    private var healthy: WebSocketClient
    let files: KeyFiles
    let rootFile: String
    /// Where callers have a loop to themselves.
    let ownLoop = WebSocketLoop()
    /// Nobody listens there.
    let closedPort: Int
    private var count = 0

    /// How long a call may take before it has to give up by itself.
    static let limit = Duration.seconds(30)

    package init(_ authority: CertificateAuthority, _ files: KeyFiles) throws {
        let (current, ended) = (Locked(Current()), MonotonicSemaphore())
        self.current = current
        self.ended = ended
        let script: @Sendable (RawConnection) -> Void = { peer in
            guard let request = try? peer.readRequestHead() else { return }
            let (found, number) = current.withLock { current in
                let play = current.play(for: request)
                if play != nil { current.running += 1 }
                return (play, current.number)
            }
            guard let play = found else { return }
            let fault = play.serve(peer, request)
            current.withLock { current in
                guard current.number == number else { return }
                current.running -= 1
                current.fault = current.fault ?? fault
            }
            ended.signal()
        }
        plain = try RawServer(script)
        secure = try RawServer(tls: TLSIdentity(authority.server(.good)), script)
        healthyServer = try EchoServer()
        healthy = try Self.connect(to: healthyServer)
        self.files = files
        rootFile = authority.rootFile
        closedPort = try FreePort.find()
    }

    package func stop() {
        plain.stop()
        secure.stop()
        try? healthy.close()
        healthyServer.stop()
    }

    // MARK: - Cases

    /// Runs one case of a kind.
    package func run(_ input: FuzzInput, _ choices: Choices) throws(FuzzFault) {
        var choices = choices
        count += 1
        let isSecure = choices.int(0...7) == 7
        switch input {
        case .upgrade: try play(UpgradeAnswers.play(&choices, plain.port), isSecure, &choices)
        case .answer: try play(RightAnswers.play(&choices, isSecure: isSecure), isSecure, &choices)
        case .frames: try play(FrameSequence.play(&choices), isSecure, &choices)
        case .pings: try play(PingBursts.play(&choices), isSecure, &choices)
        case .close: try play(ClosePayloads.play(&choices), isSecure, &choices)
        case .compressed: try play(CompressedStreams.play(&choices), isSecure, &choices)
        case .callers: try playToCallers(isSecure, &choices)
        case .token: try askForToken(TokenAnswers.play(&choices), isSecure)
        case .proxy: try askProxy(ProxyAnswers.play(&choices))
        case .files: try readFiles(&choices)
        case .settings: try useSettings(isSecure, &choices)
        case .json: try readDocuments(isSecure, &choices)
        }
        if count % 64 == 0 { try checkHealthyConnection() }
    }

    private static func path(_ number: Int) -> String { "/case-\(number)-" }

    /// Where the case's client goes.
    var path: String { Self.path(count) }

    /// Has the servers play something while `body` runs, whose clients are gone when it returns.
    /// - Throws: what `body` throws, or what the servers have seen.
    func serving<Result>(_ play: Play, _ body: () throws(FuzzFault) -> Result) throws(FuzzFault) -> Result {
        current.withLock { $0 = Current(number: count, play: play) }
        let result = try body()
        // A server that holds its connection waits for the client's end to be over.
        while !play.ending.isHold, current.withLock({ $0.running > 0 }) {
            guard ended.wait(until: Deadline(after: Self.limit)) else {
                throw FuzzFault(description: "a connection is still there when its client is gone")
            }
        }
        if let fault = current.withLock({ $0.fault }) { throw FuzzFault(description: fault) }
        return result
    }

    /// The loop serves a connection that has nothing to do with all this.
    private func checkHealthyConnection() throws(FuzzFault) {
        do {
            let text = "still here after \(count)"
            try healthy.writeTextMessage(text)
            guard try healthy.readTextMessage() == text else {
                throw FuzzFault(description: "the healthy connection echoed something else")
            }
        } catch {
            throw FuzzFault(description: "the healthy connection failed: \(error)")
        }
    }

    private static func connect(to server: EchoServer) throws -> WebSocketClient {
        var configuration = ClientConfiguration()
        configuration.readTimeout = limit
        configuration.writeTimeout = limit
        return try WebSocketClient("ws://127.0.0.1:\(server.port)/echo", configuration: configuration)
    }
}
