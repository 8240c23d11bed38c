// A system whose libwebsockets is not of the series that the package was compiled with.

#if os(Linux)
    /// Has the library say so, in a program that a test starts.
    package struct OtherLibrary {
        package static let release = "99.1.2"
        private let library: PreloadedLibrary

        package init() throws {
            library = try PreloadedLibrary(
                "const char *lws_get_library_version(void) { return \"\(Self.release)-unknown\"; }")
        }

        package func start(_ program: String, _ arguments: String...) throws -> PeerProcess {
            try library.start(program, arguments)
        }
    }
#endif
