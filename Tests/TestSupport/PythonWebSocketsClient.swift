// A real client of another make: Python's `websockets`.

import Foundation

/// `Tests/Peers/python/websockets_client.py`, run by the Python of the virtual environment that `make test-deps` sets
/// up. The script's head says what each mode does.
package enum PythonWebSocketsClient {
    /// Runs the script to its end and returns what it printed. The script checks what it gets itself: where that is
    /// wrong, the error has its traceback.
    @discardableResult
    package static func run(_ url: String, _ options: String...) throws -> String {
        let process = try PeerProcess(python: "websockets_client.py", [url] + options)
        guard try process.waitForExit() == .code(0) else { throw PeerError("\(url) \(options): \(process.output)") }
        return process.output
    }
}
