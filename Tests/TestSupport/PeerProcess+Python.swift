// Peers that are Python scripts.

import Foundation

extension PeerProcess {
    /// Starts a script of `Tests/Peers/python` with the Python of the virtual environment in `.venv` (or in
    /// `$LWS_TEST_VENV`), which `make test-deps` sets up.
    package convenience init(python script: String, _ arguments: [String] = []) throws {
        let python = PackageFolder.virtualEnvironment + "/bin/python"
        guard access(python, X_OK) == 0 else {
            throw PeerError("no Python at \(python): run `make test-deps` first")
        }
        // -B: no compiled copies among the sources.
        try self.init(python, ["-B", PackageFolder.path("Tests/Peers/python/\(script)")] + arguments)
    }
}
