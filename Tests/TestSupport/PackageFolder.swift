// Where the package's own files are.

import Foundation

package enum PackageFolder {
    /// The folder of Package.swift, found from this file's place in it.
    package static let root: String = {
        let file = URL(fileURLWithPath: #filePath)
        return file.deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent().path
    }()

    package static func path(_ relative: String) -> String { "\(root)/\(relative)" }

    /// The Python environment of the tests' peers.
    package static var virtualEnvironment: String {
        ProcessInfo.processInfo.environment["LWS_TEST_VENV"] ?? path(".venv")
    }
}
