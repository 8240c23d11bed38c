// How the program ends.

import LWSWebSocket

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// The exit codes, which scripts rely on.
enum ExitStatus: Int32 {
    /// The connection was closed with 1000 or without a code, or by this side.
    case closedNormally = 0
    /// The command line, a file that it names, or the input is not valid.
    case usage = 1
    /// There was no connection: not reached, refused, not trusted, too late; or the port cannot be listened on.
    case cannotConnect = 2
    /// There was one, and it ended in any other way than normally.
    case closedAbnormally = 3

    /// For the help of a command.
    static let help = """
        EXIT CODES:
          0  closed normally: with 1000 or without a code, or by lwscat
          1  the command line, a file that it names, or the input is not valid
          2  cannot connect (or, for listen, cannot listen)
          3  closed abnormally: with another code, or without a close frame;
             or a time limit was over
        """

    /// How a connection that has been open ended, by the error that its calls throw from then on.
    init(afterOpening error: WebSocketError) {
        guard error.code == .connectionClosure, let closure = error.closure else {
            self = .closedAbnormally
            return
        }
        switch (closure.initiator, closure.code) {
        case (.local, _), (.peer, 1000), (.peer, 1005): self = .closedNormally
        default: self = .closedAbnormally
        }
    }

    /// Ends the process at once: no exit handler of a C library runs while the loop's thread still uses that library.
    func leave() -> Never { _exit(rawValue) }
}

/// Why the program cannot go on, in words for the user.
struct Failure: Error, Equatable, CustomStringConvertible {
    let status: ExitStatus
    let description: String

    init(_ status: ExitStatus, _ description: String) {
        self.status = status
        self.description = description
    }

    /// Of a client that could not be made, or could not connect.
    init(connecting error: WebSocketError) {
        self.init(error.code == .invalidArgument ? .usage : .cannotConnect, error.description)
    }
}
