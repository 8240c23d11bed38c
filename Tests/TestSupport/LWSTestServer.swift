// The server that libwebsockets itself is tested with.

import Foundation

/// Debian's `libwebsockets-test-server`, on a free port of 127.0.0.1.
///
/// What it offers, as seen with version 4.1.6. The sub-protocol decides; the path does not matter:
///
/// | sub-protocol | what it does |
/// |---|---|
/// | `lws-mirror-protocol` | sends what it receives to everybody connected with it, the sender included: always as text, be it text or binary, and in messages of at most 4096 bytes (5000 bytes come back as 4088 and 912). Nothing is compressed |
/// | `dumb-increment-protocol` | sends "0", "1", "2", … as text, one every 50 ms; "reset\n" starts anew, "closeme\n" makes it close with 1001 "seeya" |
/// | `lws-status` | sends JSON with its version and all connections ("conns": peer, time, user agent) at each connect and disconnect; agrees to permessage-deflate |
/// | none offered | accepts, agrees to permessage-deflate, and never says anything |
/// | any other | ends TCP without an answer to the upgrade |
///
/// A plain GET is answered with 200 and a page of HTML: the server that is no WebSocket server there.
package final class LWSTestServer: Sendable {
    package let port: Int
    package let url: String
    private let process: PeerProcess

    package init() throws {
        let places = ["/usr/bin", "/usr/local/bin", "/opt/homebrew/bin"]
        let programs = places.map { $0 + "/libwebsockets-test-server" }
        guard let program = programs.first(where: { access($0, X_OK) == 0 }) else {
            throw PeerError(
                "libwebsockets-test-server is missing: install the Debian package libwebsockets-test-server, "
                    + "or run `make test-deps`")
        }
        (process, port) = try Self.start(program, attempts: 5)
        url = "ws://127.0.0.1:\(port)/"
    }

    /// It takes port 0 too but does not tell which it got; so a port is looked for first, and another one where
    /// somebody was faster.
    private static func start(_ program: String, attempts: Int) throws -> (PeerProcess, Int) {
        let port = try FreePort.find()
        #if canImport(Darwin)
            let interface = "lo0"
        #else
            let interface = "lo"
        #endif
        // -d 3: errors and warnings alone. Without -D it stays in the foreground.
        let process = try PeerProcess(program, ["--port=\(port)", "-i", interface, "-d", "3"])
        do {
            try process.waitUntilListening(on: port)
            return (process, port)
        } catch {
            guard attempts > 1, process.output.contains("ERROR on binding") else { throw error }
            return try start(program, attempts: attempts - 1)
        }
    }

    package var output: String { process.output }

    package func stop() { process.stop() }

    package func kill() { process.kill() }
}
