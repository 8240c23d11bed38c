// The handshake of a client, and frames sent after it, byte for byte.

import Foundation

extension RawClient {
    /// An answer other than 101, up to the end of the connection.
    package struct Refusal: Sendable {
        package let status: Int
        package let head: String
        package let body: String

        /// The value of a header field, `nil` where it is absent.
        package func field(_ name: String) -> String? { RawConnection.field(name, in: head) }
    }

    /// The key of RFC 6455, section 1.3.
    private static let key = "dGhlIHNhbXBsZSBub25jZQ=="

    /// Connects and upgrades.
    package convenience init(
        upgradedTo path: String, host: String = "127.0.0.1", port: Int, headers: [String] = []
    ) throws {
        try self.init(host: host, port: port)
        sendUpgrade(path, headers: headers)
        _ = try readUpgrade()
    }

    /// Sends a proper request for an upgrade.
    /// - Parameters:
    ///   - headers: whole lines, sent after the usual ones.
    ///   - rest: sent in one piece with the request.
    package func sendUpgrade(_ path: String, headers: [String] = [], followedBy rest: [UInt8] = []) {
        let lines =
            [
                "GET \(path) HTTP/1.1", "Host: 127.0.0.1", "Upgrade: websocket", "Connection: Upgrade",
                "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: \(Self.key)",
            ] + headers
        sendRequest(lines, followedBy: rest)
    }

    /// Sends the lines of a request and the empty one behind them.
    package func sendRequest(_ lines: [String], followedBy rest: [UInt8] = []) {
        connection.send(Array((lines.joined(separator: "\r\n") + "\r\n\r\n").utf8) + rest)
    }

    /// Reads a proper answer to ``sendUpgrade(_:headers:)`` and returns its head.
    package func readUpgrade() throws -> String {
        let head = try connection.readRequestHead()
        guard head.hasPrefix("HTTP/1.1 101 "),
            RawConnection.field("Sec-WebSocket-Accept", in: head) == RawConnection.accept(for: Self.key),
            RawConnection.field("Upgrade", in: head)?.lowercased() == "websocket"
        else { throw PeerError("no proper answer to the upgrade:\n\(head)") }
        return head
    }

    /// Reads an answer and all that follows, until the server ends the connection.
    package func readRefusal() throws -> Refusal {
        let head = try connection.readRequestHead()
        let words = head.split(separator: " ", maxSplits: 2)
        guard words.count == 3, words[0] == "HTTP/1.1", let status = Int(words[1]) else {
            throw PeerError("no answer of HTTP:\n\(head)")
        }
        let body = String(decoding: connection.readUntilEnd(), as: UTF8.self)
        return Refusal(status: status, head: head, body: body)
    }

    /// Sends frames as a client does, in one piece.
    package func send(_ frames: RawFrame..., key: [UInt8] = [0, 0, 0, 0]) {
        connection.send(frames.flatMap { $0.clientBytes(key: key) })
    }

    package func readFrame() throws -> RawFrame { try connection.readFrame() }
}
