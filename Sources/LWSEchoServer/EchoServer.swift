// LWSEchoServer/: the echo server, as its users see it.
//
// Holds: EchoServer with its configuration and errors, and the look at a configuration before libwebsockets gets it. Handshake/
// decides about requests, Serving/ talks to libwebsockets, Compression/ is permessage-deflate.

import LWSServiceLoop

/// A WebSocket server for tests: it echoes, and does wrong on request.
///
/// Every server has its own thread and libwebsockets context, so several run in one process. All members may be
/// used from any thread.
///
/// Messages come back frame by frame as they were sent: the same kind, the same boundaries, empty frames too, with
/// or without compression (a compressed frame is flushed, so it stays one frame; a client that does not flush at the
/// end of a fragment gets back in each fragment what could be inflated until then). Frames have 64 MiB at most;
/// a larger one is answered with close code 1009. A close is answered with its own code and reason, except that
/// libwebsockets answers 1002 to the codes below 1000, 1004 to 1006 and 1012 to 2999. While a client does not read
/// its echo, the server does not read either.
///
/// What a connection does is chosen by its path:
///
/// | Path | Behaviour |
/// |---|---|
/// | `/echo`, `/` | echoes |
/// | `/close/<code>/<reason>` | closes right after opening; the reason may be left out |
/// | `/drop`, `/drop/<n>` | ends TCP without a close frame, after `n` echoed messages |
/// | `/silent` | never reads, never answers; notices only after a minute or so that the client has gone |
/// | `/slow-upgrade/<ms>` | answers the upgrade that many milliseconds later, then echoes |
/// | `/refuse/<status>` | refuses the upgrade with that status (200 to 599) and `X-Refused-By: lws-echo-server` |
/// | `/push/<count>/<size>` | sends binary messages, byte `j` of message `i` being `i + j` modulo 256; then echoes |
/// | `/ping/<count>` | sends pings `ping-<i>`, each after the pong before, then `pongs: <count>`; then echoes |
/// | `/fragments/<n>` | sends each message back in `n` fragments, as equal in size as possible |
/// | `/headers` | sends the request's headers as JSON (`[["name","value"],…]`), then echoes |
///
/// Any other path is refused with 404, a number out of its range with 400. The path is percent-decoded; `/`, `;`,
/// `&`, `+` and `?` within a close reason have to be encoded. `/headers` lists the headers that libwebsockets knows
/// in its own order, then the others where it can list them (4.3 and newer).
public final class EchoServer: Sendable {
    /// The port that the server listens on.
    public let port: Int

    private let configuration: Configuration
    private let loop: ServiceLoop
    private let host: LoopBound<EchoHost>
    private let openConnections: Locked<Int>
    private let isStopped = Locked(false)

    /// How long connections have to answer the close frame when the server stops.
    private static let farewell = Duration.seconds(1)

    /// Starts a server, which listens when this returns. Blocks for the moment that this takes.
    /// - Throws: ``EchoServerError`` where the configuration or the system does not allow it.
    public init(_ configuration: Configuration = Configuration()) throws(EchoServerError) {
        try ListenCheck.validate(configuration)
        var configuration = configuration
        if !LibraryFeature.compression.isPresent { configuration.isCompressionEnabled = false }
        let openConnections = Locked(0)
        let loop: ServiceLoop
        do throws(LoopError) {
            loop = try ServiceLoop(LoopOptions(name: "lws-echo", usesTLS: configuration.tls != nil))
        } catch {
            throw .resources(reason: error.description)
        }
        let host = LoopBound(EchoHost(configuration, openConnections: openConnections), on: loop)
        let outcome = Locked<Result<Int, EchoServerError>?>(nil)
        let listening = MonotonicSemaphore()
        loop.perform { held in
            let port = Result { () throws(EchoServerError) in try host.get(held).listen(held) }
            outcome.withLock { $0 = port }
            listening.signal()
        }
        _ = listening.wait(until: .never)
        switch outcome.withLock({ $0 }) {
        case .success(let port): self.port = port
        case .failure(let error):
            loop.stop()
            throw error
        case nil:
            loop.stop()
            throw .resources(reason: "the service loop ended before it listened")
        }
        self.configuration = configuration
        self.loop = loop
        self.host = host
        self.openConnections = openConnections
    }

    deinit { stop() }

    /// The URL of a path on this server, `ws://127.0.0.1:PORT/echo` for instance. An IPv6 address is bracketed, the
    /// scheme is `wss` with TLS. The host is the one the server listens on, so with `0.0.0.0` it is no address that
    /// every client can connect to.
    public func url(_ path: String = "/echo") -> String {
        let host = ListenCheck.isIPv6(configuration.host) ? "[\(configuration.host)]" : configuration.host
        let separator = path.hasPrefix("/") ? "" : "/"
        return "\(configuration.tls == nil ? "ws" : "wss")://\(host):\(port)\(separator)\(path)"
    }

    /// How many WebSocket connections are open now.
    public var connectionCount: Int { openConnections.withLock { $0 } }

    /// Stops the server: every connection is closed with code 1001, the listening socket too, and the thread has
    /// ended when the first call returns. Blocks up to a second for clients that do not answer the close. Calling it again
    /// does nothing. A server that is no longer referred to stops by itself.
    public func stop() {
        let isFirst = isStopped.withLock { isStopped in
            defer { isStopped = true }
            return !isStopped
        }
        guard isFirst else { return }
        let emptied = MonotonicSemaphore()
        let limit = Self.farewell
        let isRunning = loop.perform { [host] held in
            host.get(held).stop(within: limit, held) { emptied.signal() }
        }
        if isRunning { _ = emptied.wait(until: Deadline(after: limit + limit)) }
        loop.perform { [host] held in host.get(held).endStopping(held) }
        loop.stop()
    }
}
