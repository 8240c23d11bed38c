// Functions of the system that a test replaces in a program that it starts.

#if os(Linux)
    import Foundation

    /// A library made from C source, loaded into a program before those that it would otherwise find its functions in. Not
    /// into one that a sanitizer watches, which has to be loaded first itself.
    package struct PreloadedLibrary: Sendable {
        let folder: TemporaryFolder
        private let file: String

        package init(_ source: String) throws {
            folder = try TemporaryFolder("lws-preloaded")
            file = folder.file("library.so")
            let written = try folder.write(source, to: "source.c")
            let compiler = try PeerProcess(
                "/bin/sh", ["-c", "clang -shared -fPIC -o \(file) \(written) -ldl && echo made"])
            defer { compiler.stop() }
            _ = try compiler.waitForLine("made", within: Timing.ages)
        }

        /// Starts one of the package's programs with it.
        package func start(
            _ program: String, _ arguments: [String] = [], environment: [String] = []
        ) throws -> PeerProcess {
            try PeerProcess(
                "/usr/bin/env", ["LD_PRELOAD=\(file)"] + environment + [try BuiltProgram.path(program)] + arguments,
                keeping: folder)
        }
    }

    /// A system on which some function behaves otherwise, for the probe of the tests.
    package protocol AlteredSystem: Sendable {
        var library: PreloadedLibrary { get }
        /// What the library finds in its environment.
        var settings: [String] { get }
    }

    extension AlteredSystem {
        /// Starts the probe on this system, as a client of the server, whose certificate it trusts.
        package func startProbe(_ mode: String, of server: RawServer) throws -> PeerProcess {
            var environment = settings + ["PROBE_MODE=\(mode)", "PROBE_URL=\(server.url())"]
            if server.isSecure { environment.append("PROBE_ROOT=\(try CertificateAuthority.shared.rootFile)") }
            return try library.start("lws-process-probe", environment: environment)
        }
    }
#endif
