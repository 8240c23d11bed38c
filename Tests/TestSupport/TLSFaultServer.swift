// A TLS server that ends, or breaks, TLS in the midst of things.

import Foundation

/// `Tests/Peers/python/tls_fault_server.py`, whose head says the details. It upgrades, sends the text "ready", waits
/// for one frame of the client, and then does what the path asks for.
package final class TLSFaultServer: Sendable {
    /// What goes wrong once the connection is open and the client has sent a frame.
    package enum Fault: String, Sendable, CaseIterable {
        /// TCP ends (FIN) without TLS's close_notify.
        case truncate = "/truncate"
        /// The same after the first half of a text frame.
        case truncateFrame = "/truncate-frame"
        /// TCP is reset (RST).
        case reset = "/reset"
        /// TLS ends with close_notify, then TCP, without a WebSocket close frame.
        case closeNotify = "/close-notify"
        /// Bytes that are no TLS record come; then the server waits for the client to end.
        case garbage = "/garbage"
        /// A record of the right form comes that does not decrypt; then the server waits for the client to end.
        case badRecord = "/bad-record"
        /// The fatal alert bad_record_mac (20) comes, encrypted; then TCP ends.
        case alert = "/alert"
        /// The fatal alert record_overflow (22) comes, encrypted; then TCP ends.
        case alertOverflow = "/alert-overflow"
        /// No fault: each frame is answered with the text "bytewise", every byte of it in a TLS record of its own.
        /// No "ready" comes before.
        case bytewise = "/bytewise"
        /// No fault: each frame is answered with the text "ok". No "ready" comes before.
        case none = "/ok"
    }

    package let port: Int
    private let process: PeerProcess

    /// Starts the server and returns when it listens.
    /// - Parameters:
    ///   - identity: its certificate and key.
    ///   - version: the one version that it speaks: 1.2 or 1.3.
    ///   - handshakeAlert: ends each handshake with this fatal alert (RFC 8446, section 6), such as 40
    ///     (handshake_failure), 80 (internal_error), 112 (unrecognized_name).
    package init(identity: TestIdentity, version: PeerTLSVersion = .tls13, handshakeAlert: UInt8? = nil) throws {
        var arguments = ["--certificate", identity.chainFile, "--key", identity.privateKeyFile]
        arguments += ["--version", version.rawValue]
        if let handshakeAlert { arguments += ["--handshake-alert", String(handshakeAlert)] }
        process = try PeerProcess(python: "tls_fault_server.py", arguments)
        let line = try process.waitForLine("ready ")
        guard let port = Int(line) else { throw PeerError("no port in \"ready \(line)\"") }
        self.port = port
    }

    package func url(_ fault: Fault = .none, host: String = "127.0.0.1") -> String {
        "wss://\(host):\(port)\(fault.rawValue)"
    }

    /// Waits until a first connection is over and tells how: "as asked for", "close_notify", "end of TCP", "reset",
    /// or "handshake failed: ", "alert: ", "error: " with OpenSSL's words.
    package func waitForEnding() throws -> String { try process.waitForLine("ended: ") }

    package func stop() { process.stop() }
}
