// The feed's server, in a process of its own that can be killed.

import Dispatch
import Foundation
import LWSEchoServer

enum FeedServer {
    /// Serves on a port, 0 for any, until a SIGTERM comes. Prints the port.
    static func serve(port: Int) throws -> Never {
        signal(SIGTERM, SIG_IGN)  // for the source, which would not get it
        let server = try EchoServer(EchoServer.Configuration(port: port))
        let source = DispatchSource.makeSignalSource(signal: SIGTERM, queue: .global())
        source.setEventHandler {
            server.stop()  // closes each connection with 1001
            exit(0)
        }
        source.resume()
        print(server.port)
        fflush(nil)
        dispatchMain()
    }
}

/// This program again, as the feed's server.
final class FeedServerProcess {
    let port: Int
    private let process = Process()

    /// Returns when it listens.
    init(port: Int = 0) throws {
        let output = Pipe()
        process.executableURL = Bundle.main.executableURL
        process.arguments = ["serve", String(port)]
        process.standardOutput = output
        try process.run()
        let line = String(decoding: output.fileHandleForReading.availableData, as: UTF8.self)
        guard let port = Int(line.trimmingCharacters(in: .newlines)) else { throw Failure.didNotStart }
        self.port = port
    }

    /// Ends it in the midst of things, as a crash does.
    func kill() {
        Foundation.kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
    }

    /// Ends it as an operator does.
    func stop() {
        process.terminate()
        process.waitUntilExit()
    }

    enum Failure: Error { case didNotStart }
}
