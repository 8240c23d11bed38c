// A member of the chat: a connection, and a thread that reads it.

import Foundation
import LWSWebSocket

/// Writes on the caller's thread and reads on one of its own, which ends with the connection.
final class Member: Sendable {
    let name: String
    private let client: WebSocketClient

    /// Joins. `hear` is called on the member's thread for each message, `leave` once.
    init(
        _ name: String, url: String, hear: @escaping @Sendable (ChatMessage) -> Void,
        leave: @escaping @Sendable (WebSocketError) -> Void
    ) throws(WebSocketError) {
        var configuration = ClientConfiguration()
        configuration.subProtocols = ["chat.v1"]  // a server that speaks something else refuses
        configuration.handShakeTimeout = .seconds(10)
        configuration.writeTimeout = .seconds(10)
        let client = try WebSocketClient(url, configuration: configuration)
        self.name = name
        self.client = client
        Thread.detachNewThread {
            while true {
                do throws(WebSocketError) {
                    hear(try client.readMessage(as: ChatMessage.self))
                } catch {
                    // One bad message ends nobody's conversation; the end of the connection does.
                    if error.code == .payloadBinding || error.code == .payloadValidation { continue }
                    return leave(error)
                }
            }
        }
    }

    func say(_ text: String) throws(WebSocketError) {
        try client.writeMessage(ChatMessage(name: name, text: text))
    }

    /// Wakes the thread that reads.
    func leave() throws(WebSocketError) { try client.close(reason: "\(name) leaves") }
}
