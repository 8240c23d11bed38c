// The publisher against a server that does well, and against one that does wrong in every way it can meet.

import LWSEchoServer
import QuotePublisher
import Testing

@Suite("A publisher of quotes")
struct QuotePublisherTests {
    private let server: EchoServer
    private let quote = Quote(symbol: "ACME", price: 19.99)

    /// Each test has a server of its own, on a free port; it stops with the test.
    init() throws { server = try EchoServer() }

    private func publish(
        to path: String, patience: Duration = .seconds(10)
    ) throws(QuotePublisher.Failure) {
        try QuotePublisher(url: server.url(path), token: "secret", patience: patience).publish(quote)
    }

    @Test("is content with a confirmation, in one piece or in several", arguments: ["/echo", "/fragments/3"])
    func confirmation(path: String) throws {
        try publish(to: path)
    }

    @Test("says that a token is not good", arguments: [401, 403])
    func refused(status: Int) {
        #expect(throws: QuotePublisher.Failure.notAllowed) { try publish(to: "/refuse/\(status)") }
    }

    @Test("says why the server ended it")
    func ended() {
        // In a path, a space is %20.
        #expect(throws: QuotePublisher.Failure.ended("market closed")) {
            try publish(to: "/close/4000/market%20closed")
        }
    }

    @Test("takes a crash, a server in trouble and silence for something that passes")
    func unavailable() {
        #expect(throws: QuotePublisher.Failure.unavailable) { try publish(to: "/drop") }
        #expect(throws: QuotePublisher.Failure.unavailable) { try publish(to: "/refuse/503") }
        #expect(throws: QuotePublisher.Failure.unavailable) {
            try publish(to: "/slow-upgrade/60000", patience: .milliseconds(200))
        }
        #expect(throws: QuotePublisher.Failure.unavailable) {
            try publish(to: "/silent", patience: .milliseconds(200))
        }
    }

    @Test("does not take something else for a confirmation", arguments: ["/push/1/4", "/headers"])
    func misunderstood(path: String) {
        #expect(throws: QuotePublisher.Failure.misunderstood) { try publish(to: path) }
    }

    @Test("leaves the server when it is dropped")
    func leaves() throws {
        do {
            let publisher = try QuotePublisher(url: server.url(), token: "secret")
            try publisher.publish(quote)
            #expect(server.connectionCount == 1)
        }
        // Returns when every connection has ended.
        server.stop()
        #expect(server.connectionCount == 0)
    }
}
