// The way to the upstream server, for handlers that must not block.

// sample: upstream
import LWSWebSocket
import NIOConcurrencyHelpers
import NIOPosix

/// Asks a server questions, each on a thread that may block.
final class Upstream: Sendable {
    private let url: String
    private let threads: NIOThreadPool
    private let idle = NIOLockedValueBox<[WebSocketClient]>([])

    init(_ url: String, threads count: Int) {
        self.url = url
        threads = NIOThreadPool(numberOfThreads: count)
        threads.start()
    }

    /// Suspends; no event loop and no thread of Swift's cooperative pool waits.
    func ask(_ question: String) async throws -> String {
        try await threads.runIfActive {
            let client = try self.client()
            try client.writeTextMessage(question)
            let answer = try client.readTextMessage()
            self.idle.withLockedValue { $0.append(client) }  // where it failed it is dropped, which closes it
            return answer
        }
    }

    /// One that nobody uses, or a new one.
    private func client() throws(WebSocketError) -> WebSocketClient {
        let spare = idle.withLockedValue { idle in
            idle.removeAll { !$0.isOpen }
            return idle.popLast()
        }
        if let spare { return spare }
        var configuration = ClientConfiguration()
        configuration.handShakeTimeout = .seconds(5)
        configuration.writeTimeout = .seconds(1)
        configuration.readTimeout = .seconds(1)
        return try WebSocketClient(url, configuration: configuration)
    }

    /// Waits for the questions that are under way, and closes the connections.
    func shutDown() async throws {
        try await threads.runIfActive {
            for client in self.idle.withLockedValue({ $0 }) { try client.close(timeout: .seconds(1)) }
        }
        try await threads.shutdownGracefully()
    }
}
// sample end
