// Python's `websockets` with every combination of permessage-deflate's parameters.

import Foundation

/// `Tests/Peers/python/websockets_deflate.py`, whose head says what it does.
package final class PythonDeflateServer: Sendable {
    /// A listener with what it asks for.
    package struct Listener: Sendable, CustomStringConvertible {
        package let port: Int
        package let serverNoContextTakeover: Bool
        package let clientNoContextTakeover: Bool
        package let serverMaxWindowBits: Int?
        package let clientMaxWindowBits: Int?
        package var url: String { "ws://127.0.0.1:\(port)/" }
        package var description: String {
            "\(serverNoContextTakeover), \(clientNoContextTakeover), \(serverMaxWindowBits ?? 0), "
                + "\(clientMaxWindowBits ?? 0)"
        }

        init?(_ values: [Any]) {
            guard values.count == 5, let port = values[0] as? Int, let server = values[1] as? Bool,
                let client = values[2] as? Bool
            else { return nil }
            self.port = port
            serverNoContextTakeover = server
            clientNoContextTakeover = client
            serverMaxWindowBits = values[3] as? Int
            clientMaxWindowBits = values[4] as? Int
        }
    }

    package let listeners: [Listener]
    private let process: PeerProcess

    package init() throws {
        process = try PeerProcess(python: "websockets_deflate.py")
        let list = try JSONSerialization.jsonObject(with: Data(process.waitForLine("ready ").utf8))
        listeners = (list as? [[Any]] ?? []).compactMap(Listener.init)
    }

    package func stop() { process.stop() }
}
