// The code under test: it publishes quotes to a server that confirms each.

import HTTPTypes
import LWSWebSocket

/// A price of something.
public struct Quote: Codable, Sendable, Equatable {
    public var symbol: String
    public var price: Double

    public init(symbol: String, price: Double) {
        self.symbol = symbol
        self.price = price
    }
}

/// Publishes quotes. The server repeats each as a confirmation.
public struct QuotePublisher: Sendable {
    /// What its users can do something about.
    public enum Failure: Error, Equatable {
        /// The token is not good.
        case notAllowed
        /// Worth another try later.
        case unavailable
        /// The server ended the conversation, and why.
        case ended(String)
        /// The server does not do what was agreed.
        case misunderstood
    }

    private let client: WebSocketClient

    /// Connects. Blocks for `patience` at most, and so does each quote.
    public init(url: String, token: String, patience: Duration = .seconds(10)) throws(Failure) {
        var configuration = ClientConfiguration()
        configuration.auth = .bearer(token: token)
        configuration.handShakeTimeout = patience
        configuration.readTimeout = patience
        configuration.writeTimeout = patience
        do throws(WebSocketError) {
            client = try WebSocketClient(url, configuration: configuration)
        } catch {
            throw Failure(error)
        }
    }

    /// Returns when the server has confirmed the quote.
    public func publish(_ quote: Quote) throws(Failure) {
        let confirmation: Quote
        do throws(WebSocketError) {
            try client.writeMessage(quote)
            confirmation = try client.readMessage(as: Quote.self)
        } catch {
            throw Failure(error)
        }
        guard confirmation == quote else { throw .misunderstood }
    }
}

extension QuotePublisher.Failure {
    init(_ error: WebSocketError) {
        self =
            switch error.code {
            case .invalidHandshake where [401, 403].contains(error.httpResponse?.status.code): .notAllowed
            case .connectionClosure where error.closure?.initiator == .peer: .ended(error.closure?.reason ?? "")
            default: error.isRetriable ? .unavailable : .misunderstood
            }
    }
}
