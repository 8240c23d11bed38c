// The package's own programs, as they were built together with the tests.

import Foundation

package enum BuiltProgram {
    /// The path of one of the package's executables: it lies beside the test bundle, in whichever build folder and
    /// with whichever sanitizer that was built.
    package static func path(_ name: String) throws -> String {
        for image in images() {
            var folder = URL(fileURLWithPath: image).deletingLastPathComponent()
            // On macOS the code lies three folders deep inside the bundle.
            for _ in 0..<4 {
                let program = folder.appendingPathComponent(name).path
                if access(program, X_OK) == 0 { return program }
                folder.deleteLastPathComponent()
            }
        }
        throw PeerError("no \(name) beside the test bundle (\(images())): run `swift build --build-tests` first")
    }

    /// Where this code may have been loaded from.
    private static func images() -> [String] {
        #if canImport(Darwin)
            Bundle.allBundles.map { $0.executablePath ?? $0.bundlePath }
        #else
            // swift test may run the tests in a helper; the bundle is mapped then.
            [try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")].compactMap { $0 }
                + CommandLine.arguments.filter { $0.contains(".xctest") }
        #endif
    }
}
