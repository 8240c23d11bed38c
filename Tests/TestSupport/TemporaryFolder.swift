// A folder that goes with the object that needs it.

import Foundation

/// A new, empty folder among the system's temporary ones, for its owner alone. It is removed with this object.
package final class TemporaryFolder: Sendable {
    let url: URL
    package var path: String { url.path }

    /// - Parameter name: what its name begins with, to recognise it by.
    package init(_ name: String) throws {
        url = FileManager.default.temporaryDirectory.appendingPathComponent("\(name)-\(UUID().uuidString)")
        try FileManager.default.createDirectory(
            at: url, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    }

    deinit { remove() }

    /// The path of a file in it.
    package func file(_ name: String) -> String { url.appendingPathComponent(name).path }

    /// Writes a file in it, and returns its path.
    @discardableResult
    package func write(_ text: String, to name: String) throws -> String {
        try Data(text.utf8).write(to: url.appendingPathComponent(name))
        return file(name)
    }

    /// Whether a file of that name is in it.
    package func has(_ name: String) -> Bool { FileManager.default.fileExists(atPath: file(name)) }

    package func remove() { try? FileManager.default.removeItem(at: url) }
}
