// The reader of the feed.

import LWSWebSocket

/// A feed that is chosen by its URL alone, so that a connection that is made again means the same as the one before.
struct PriceFeed {
    let url: String
    /// Is told why the feed stands still, when it begins to.
    let onLoss: @Sendable (WebSocketError) -> Void

    /// Gives each tick to `use`, until that returns false. Blocks; goes on across crashes and restarts of the server.
    func follow(_ use: (Tick) -> Bool) throws(WebSocketError) {
        while true {
            let client = try WebSocketClient(url, configuration: configuration)
            do throws(WebSocketError) {
                while true {
                    // What is no tick is passed over: a feed may grow.
                    guard let tick = Tick(try client.readBinaryMessage()) else { continue }
                    if !use(tick) { return try client.close() }
                }
            } catch {
                // A server that is stopped for a restart says so, with 1001. One that crashes does not, and the client
                // connects again by itself.
                guard error.closure?.code == 1001 else { throw error }
                onLoss(error)
            }
        }
    }

    private var configuration: ClientConfiguration {
        var configuration = ClientConfiguration()
        configuration.webSocketCompressionEnabled = false  // a few bytes at a time
        configuration.handShakeTimeout = .seconds(10)
        configuration.retryConfig = WebSocketRetryConfig(
            interval: .milliseconds(20), backOffFactor: 2, maxWaitInterval: .seconds(5)
        ) { [onLoss] event in
            if event.attempt == 0 { onLoss(event.error) }
        }
        configuration.logger.logLevel = .warning  // at info it would tell of each loss as well
        // A machine that loses power ends no connection. Its silence does.
        configuration.pingInterval = .seconds(20)
        configuration.pongTimeout = .seconds(5)
        return configuration
    }
}
