// The `openssl` command.

import Foundation

/// Runs `openssl`, version 1.1.1 or newer. Without its standard configuration file where a command would read one: the
/// system's may ask for more than a test wants.
package enum OpenSSLCommand {
    /// Homebrew's first: macOS has LibreSSL in /usr/bin, which lacks some of what the tests ask for.
    private static let places = [
        "/opt/homebrew/opt/openssl/bin", "/opt/homebrew/bin", "/usr/local/opt/openssl/bin", "/usr/bin",
        "/usr/local/bin",
    ]

    /// The path of the command.
    package static func path() throws -> String {
        guard let path = places.map({ $0 + "/openssl" }).first(where: { access($0, X_OK) == 0 }) else {
            throw PeerError("the openssl command is missing: install the package openssl")
        }
        return path
    }

    /// Whether it is of this version or a later one.
    package static func isAtLeast(_ version: String) throws -> Bool {
        // "OpenSSL 3.0.20 7 Apr 2026 (Library: …)"
        let words = try run(["version"]).split(separator: " ")
        return words.count > 1 && words[1].compare(version, options: .numeric) != .orderedAscending
    }

    /// Runs it to its end, for at most a minute, with nothing to read on its standard input.
    /// - Returns: its standard output and standard error.
    /// - Throws: ``PeerError`` with that output where it fails.
    @discardableResult
    package static func run(_ arguments: [String]) throws -> String {
        let (succeeded, output) = try attempt(arguments)
        guard succeeded else { throw PeerError("openssl \(arguments.joined(separator: " ")): \(output)") }
        return output
    }

    /// The same for commands that may fail, such as `verify` and `s_client`.
    package static func attempt(_ arguments: [String]) throws -> (succeeded: Bool, output: String) {
        let process = try PeerProcess(path(), arguments)
        let exit = try process.waitForExit()
        return (exit == .code(0), process.output)
    }
}
