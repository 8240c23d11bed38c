// Servers on a TLS port that do not speak TLS, or not to the end.

import Foundation

extension RawServer {
    /// The address of a server that is taken for one with TLS.
    package func secureURL(_ path: String = "/", host: String = "127.0.0.1") -> String {
        "wss://\(host):\(port)\(path)"
    }

    /// Answers the ClientHello with plain HTTP, status 400, as a server without TLS does, and ends TCP.
    package static func answeringPlainHTTP() throws -> RawServer {
        try RawServer { connection in
            guard (try? Self.readRecord(connection)) != nil else { return }
            connection.send("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            connection.endOutput()
            connection.waitForEnd()
        }
    }

    /// Reads the ClientHello and ends TCP.
    /// - Parameter reset: with a RST instead of a FIN.
    package static func endingInHandshake(reset: Bool = false) throws -> RawServer {
        try RawServer { connection in
            guard (try? Self.readRecord(connection)) != nil else { return }
            if reset { connection.reset() } else { connection.closeConnection() }
        }
    }

    /// Accepts connections and never says anything.
    package static func silent() throws -> RawServer { try RawServer { $0.waitForEnd() } }

    /// Answers the ClientHello with a fatal alert, not encrypted, and ends TCP.
    package static func alerting(_ code: UInt8) throws -> RawServer {
        try RawServer { connection in
            guard (try? Self.readRecord(connection)) != nil else { return }
            connection.send([21, 3, 3, 0, 2, 2, code])
            connection.endOutput()
            connection.waitForEnd()
        }
    }

    /// One TLS record: its type, its version, its length in two bytes, its content.
    @discardableResult
    package static func readRecord(_ connection: RawConnection) throws -> [UInt8] {
        let head = try connection.read(5)
        return try head + connection.read(Int(head[3]) << 8 | Int(head[4]))
    }
}
