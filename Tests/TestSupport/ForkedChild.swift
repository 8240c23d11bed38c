// A child of this process, by fork alone.

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// A copy of this process with one thread. Swift hides `fork`, which is found by its name.
package enum ForkedChild {
    /// How it ended: by itself, with what it had written; or killed, for it took too long.
    package enum End: Equatable {
        case exited(Int32, output: [UInt8])
        case hung(output: [UInt8])
    }

    /// Runs `body` in a child, which then exits at once, with what `body` returns. It may call what takes no lock, and
    /// `report`.
    package static func run(
        within milliseconds: Int32 = 60_000, _ body: (_ report: (UInt8) -> Void) -> Int32
    ) throws -> End {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { throw PeerError("pipe") }
        let (reader, writer) = (ends[0], ends[1])
        let child = try fork()
        if child == 0 {
            close(reader)
            // Where the program is replaced, its output is what is reported.
            dup2(writer, STDOUT_FILENO)
            if writer != STDOUT_FILENO { close(writer) }
            _exit(
                body { byte in
                    var byte = byte
                    _ = write(STDOUT_FILENO, &byte, 1)
                })
        }
        close(writer)
        defer { close(reader) }
        guard child > 0 else { throw PeerError("fork") }
        let (output, isComplete) = read(reader, milliseconds)
        if !isComplete { kill(child, SIGKILL) }
        let code = waitForEnd(of: child)
        guard isComplete else { return .hung(output: output) }
        return .exited(code, output: output)
    }

    /// The child goes on from here too: 0 is for it, and its number for this process.
    package static func fork() throws -> Int32 {
        guard let address = dlsym(nil, "fork") else { throw PeerError("no fork") }
        return unsafeBitCast(address, to: (@convention(c) () -> Int32).self)()
    }

    /// Its exit code, or the number of the signal that has ended it, below zero.
    package static func waitForEnd(of child: Int32) -> Int32 {
        var status: Int32 = 0
        while waitpid(child, &status, 0) < 0 && errno == EINTR {}
        return status & 0x7F == 0 ? status >> 8 & 0xFF : -(status & 0x7F)
    }

    /// The child's end closes the pipe.
    private static func read(_ reader: Int32, _ milliseconds: Int32) -> ([UInt8], isComplete: Bool) {
        var output: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 4096)
        while true {
            var watched = pollfd(fd: reader, events: Int16(POLLIN), revents: 0)
            guard poll(&watched, 1, milliseconds) > 0 else { return (output, false) }
            let count = systemRead(reader, &chunk, chunk.count)
            guard count > 0 else { return (output, true) }
            output += chunk.prefix(count)
        }
    }
}

// By a name of its own: the method above hides it.
private func systemRead(_ descriptor: Int32, _ buffer: UnsafeMutableRawPointer, _ count: Int) -> Int {
    read(descriptor, buffer, count)
}
