// Functions of the system that a test replaces in a program that it starts.

#if os(Linux)
    import Foundation

    /// A library made from C source, loaded into a program before those that it would otherwise find its functions in. Not
    /// into one that a sanitizer watches, which has to be loaded first itself.
    struct PreloadedLibrary {
        let folder: TemporaryFolder
        private let file: String

        init(_ source: String) throws {
            folder = try TemporaryFolder("lws-preloaded")
            file = folder.file("library.so")
            let written = try folder.write(source, to: "source.c")
            let compiler = try PeerProcess(
                "/bin/sh", ["-c", "clang -shared -fPIC -o \(file) \(written) -ldl && echo made"])
            defer { compiler.stop() }
            _ = try compiler.waitForLine("made", within: Timing.ages)
        }

        /// A program of this package with the library in it.
        func start(_ program: String, _ environment: [String]) throws -> PeerProcess {
            try PeerProcess("/usr/bin/env", ["LD_PRELOAD=\(file)"] + environment + [try BuiltProgram.path(program)])
        }
    }
#endif
