// What MovingFromURLSession.md shows: the same with URLSessionWebSocketTask and with this library.

// sample: urlsession-before
import Foundation

#if canImport(FoundationNetworking)
    import FoundationNetworking
#endif
// sample end
import LWSEchoServer
// sample: urlsession-after
import LWSWebSocket
// sample end
import Testing

extension Samples {
    @Suite("Moving from URLSession")
    struct URLSessionSide {
        // sample: urlsession-before
        func askWithURLSession(_ url: URL, _ question: String) async throws -> String {
            let task = URLSession.shared.webSocketTask(with: url)
            task.resume()
            try await task.send(.string(question))
            defer { task.cancel(with: .normalClosure, reason: nil) }
            switch try await task.receive() {
            case .string(let text): return text
            case .data(let data): return String(decoding: data, as: UTF8.self)
            @unknown default: throw URLError(.cannotParseResponse)
            }
        }
        // sample end

        // sample: urlsession-after
        func ask(_ url: String, _ question: String) throws(WebSocketError) -> String {
            let client = try WebSocketClient(url)
            try client.writeTextMessage(question)
            let answer = try client.readMessage(as: String.self)  // of either kind, as here before
            try client.close()
            return answer
        }
        // sample end

        /// Foundation's depends on how libcurl was built; where that cannot, its side is compiled and not run.
        private static let hasWebSockets: Bool = {
            #if canImport(FoundationNetworking)
                ProcessInfo.processInfo.environment["LWS_URLSESSION_WEBSOCKETS"] != nil
            #else
                true
            #endif
        }()

        @Test("with this library")
        func after() throws {
            let server = try EchoServer()
            #expect(try ask(server.url(), "who is there?") == "who is there?")
        }

        @Test("with Foundation", .enabled(if: hasWebSockets))
        func before() async throws {
            let server = try EchoServer()
            let url = try #require(URL(string: server.url()))
            #expect(try await askWithURLSession(url, "who is there?") == "who is there?")
        }

        @Test("a request with fields and a time limit")
        func request() throws {
            let server = try EchoServer()
            let url = server.url()
            let token = "abc"
            // sample: urlsession-request-after
            var configuration = ClientConfiguration()
            configuration.auth = .bearer(token: token)
            configuration.readTimeout = .seconds(60)
            configuration.maxMessageSize = 1 << 20
            let client = try WebSocketClient(url, configuration: configuration)
            // sample end
            #expect(client.isOpen)
        }

        @Test("the same for a task")
        func taskRequest() throws {
            let server = try EchoServer()
            let url = try #require(URL(string: server.url()))
            let token = "abc"
            // sample: urlsession-request-before
            var request = URLRequest(url: url)
            request.setValue("Bearer \(token)", forHTTPHeaderField: "Authorization")
            request.timeoutInterval = 60
            let task = URLSession.shared.webSocketTask(with: request)
            task.maximumMessageSize = 1 << 20
            task.resume()
            // sample end
            task.cancel()
        }
    }
}
