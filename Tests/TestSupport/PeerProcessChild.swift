// Starting a program and following it to its end.

import Foundation

/// A child process and the pipe that its output comes through. For one thread; the caller reaps it.
///
/// `Foundation.Process` would leave threads and descriptors of its own behind, which tests count.
struct PeerProcessChild {
    let identifier: Int32
    private let reader: Int32

    init(_ program: String, _ arguments: [String]) throws {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { throw PeerError("pipe") }
        for end in ends { Loopback.makePrivate(end) }
        defer { close(ends[1]) }
        reader = ends[0]
        do {
            identifier = try Self.spawn(Self.command(program, arguments), output: ends[1])
        } catch {
            close(ends[0])
            throw error
        }
    }

    /// Hands over the output until its end, and closes the pipe.
    func readOutput(_ body: (ArraySlice<UInt8>) -> Void) {
        var chunk = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = read(reader, &chunk, chunk.count)
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { break }
            body(chunk.prefix(count))
        }
        close(reader)
    }

    /// Blocks until the process has ended, and leaves it to be reaped.
    func waitForEnd() {
        var information = siginfo_t()
        while waitid(P_PID, id_t(identifier), &information, WEXITED | WNOWAIT) < 0 && errno == EINTR {}
    }

    private static func command(_ program: String, _ arguments: [String]) -> [String] {
        let setpriv = "/usr/bin/setpriv"
        let prefix = access(setpriv, X_OK) == 0 ? [setpriv, "--pdeathsig", "KILL", "--"] : []
        return prefix + [program] + arguments
    }

    /// Nothing but the three standard descriptors reaches the program: a peer that held another's pipe, or a
    /// socket under test, would keep it from ending. Signals, blocked in the calling thread, are as by default.
    private static func spawn(_ command: [String], output: Int32) throws -> Int32 {
        #if canImport(Darwin)
            var actions: posix_spawn_file_actions_t?
            var attributes: posix_spawnattr_t?
        #else
            var actions = posix_spawn_file_actions_t()
            var attributes = posix_spawnattr_t()
        #endif
        posix_spawn_file_actions_init(&actions)
        posix_spawnattr_init(&attributes)
        defer {
            posix_spawn_file_actions_destroy(&actions)
            posix_spawnattr_destroy(&attributes)
        }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_adddup2(&actions, output, 1)
        posix_spawn_file_actions_adddup2(&actions, output, 2)
        var flags = POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF
        #if canImport(Darwin)
            flags |= POSIX_SPAWN_CLOEXEC_DEFAULT
        #else
            closeEverythingFrom(3, in: &actions)
        #endif
        var signals = sigset_t()
        sigemptyset(&signals)
        posix_spawnattr_setsigmask(&attributes, &signals)
        sigaddset(&signals, SIGPIPE)
        posix_spawnattr_setsigdefault(&attributes, &signals)
        posix_spawnattr_setflags(&attributes, Int16(flags))
        let environment = ProcessInfo.processInfo.environment.map { "\($0.key)=\($0.value)" }
        var identifier: pid_t = 0
        let status = withCStrings(command) { arguments in
            withCStrings(environment) { environment in
                posix_spawn(&identifier, command[0], &actions, &attributes, arguments, environment)
            }
        }
        guard status == 0 else { throw PeerError("cannot start \(command[0])", errno: status) }
        return identifier
    }

    #if !canImport(Darwin)
        /// `posix_spawn_file_actions_addclosefrom_np`, which glibc has from 2.34 on and its Swift module does not
        /// show. With an older one the close-on-exec flags have to do, and they are set a moment after the opening.
        private static func closeEverythingFrom(_ first: Int32, in actions: inout posix_spawn_file_actions_t) {
            typealias Function = @convention(c) (UnsafeMutablePointer<posix_spawn_file_actions_t>, Int32) -> Int32
            guard let symbol = dlsym(nil, "posix_spawn_file_actions_addclosefrom_np") else { return }
            _ = unsafeBitCast(symbol, to: Function.self)(&actions, first)
        }
    #endif

    private static func withCStrings<Result>(
        _ strings: [String], _ body: ([UnsafeMutablePointer<CChar>?]) -> Result
    ) -> Result {
        let copies = strings.map { strdup($0) }
        defer { for copy in copies { free(copy) } }
        return body(copies + [nil])
    }
}
