// Which libwebsockets there is, and whether it can be used.

import LWSServiceLoop
import Logging
import Testing

@testable import LWSWebSocket

@Suite("The release of libwebsockets")
struct LibraryVersionTests {
    @Test("is the one of the system's headers, and what is loaded")
    func current() {
        #expect(libraryVersion.compiledWith.first?.isNumber == true)
        #expect(libraryVersion.compiledWith == libraryVersion.runningWith)
        let plain = "libwebsockets \(libraryVersion.runningWith)"
        #expect("\(libraryVersion)".hasPrefix(plain))
        #expect(LibraryFeature.missing.isEmpty == ("\(libraryVersion)" == plain))
    }

    @Test(
        "can be used where the first two numbers are the same, or cannot be told, and it is sound",
        arguments: [
            ("4.1.6-", "4.1.6-", true), ("4.3.3-unknown", "4.3.5", true), ("4.3.3", "4.3", true),
            ("4.1.6", "4.3.3", false),
            ("4.5.8", "5.0.0", false), ("4.1.6", "14.1.6", false), ("5.0.0", "5.1.0-v5.0.0-12-g1234567", false),
            ("4.1.6", "main", true), ("4.1.6", "", true), ("4.1.6", "v4.3.3", true),
            // These take control frames for messages. 4.4.2 calls itself 4.4.0, and 4.5.0 and 4.5.1 are one.
            ("4.4.0", "4.4.0", true), ("4.4.3", "4.4.3-", false), ("4.4.0", "4.4.5-v4.4.5-1-g1234567", false),
            ("4.5.0", "4.5.0", true), ("4.5.8", "4.5.8", true),
        ])
    func usable(_ compiled: String, _ running: String, _ isUsable: Bool) {
        #expect((LibraryRelease(compiledWith: compiled, runningWith: running).objection == nil) == isUsable)
    }

    @Test("that takes a control frame for a message is told, and nobody is to try again")
    func mistake() {
        let violation = Violation.mistakenControlFrame
        let error = Ending(initiator: .local, sent: violation.closeFrame, violation: violation).readError(
            host: "host")
        #expect(error.code == .connection)
        #expect(!error.isRetriable)
        #expect(error.closure?.code == 1011)
        #expect(error.description.contains("takes control frames for messages"))
    }

    @Test("is told in its own words, without what says nothing")
    func words() {
        func words(_ compiled: String, _ running: String) -> String {
            "\(LibraryVersion(LibraryRelease(compiledWith: compiled, runningWith: running)))"
        }
        #expect(words("4.1.6-", "4.1.6-") == "libwebsockets 4.1.6")
        #expect(words("4.3.3-unknown", "4.3.5-unknown") == "libwebsockets 4.3.5, compiled with 4.3.3")
        let missing: [LibraryFeature] = [.compression, .ipv6]
        #expect(
            "\(LibraryRelease(compiledWith: "4.3.3", runningWith: "4.3.5", missing: missing))"
                == "libwebsockets 4.3.5, compiled with 4.3.3, without compression or IPv6")
        #expect(words("4.3.3", "4.3.3-v4.3.0-9-gabc") == "libwebsockets 4.3.3-v4.3.0-9-gabc, compiled with 4.3.3")
    }

    @Test("is told once, to the log of who connects first")
    func announced() throws {
        let log = RecordedLog(.debug)
        let announcement = Announcement("libwebsockets 4.1.6")
        #expect(announcement.claim(for: Logger(label: "quiet") { _ in SwiftLogNoOpLogHandler() }) == nil)
        #expect(announcement.claim(for: log.logger) == "libwebsockets 4.1.6")
        #expect(announcement.claim(for: log.logger) == nil)
        // Of the process, in which other tests may have connected before.
        let first = RecordedLog(.debug)
        for _ in 0..<2 {
            var configuration = ClientConfiguration()
            configuration.logger = first.logger
            #expect(throws: WebSocketError.self) {
                try WebSocketClient("ws://127.0.0.1:1/", configuration: configuration)
            }
        }
        #expect(first.everything.filter { $0 == "debug: \(libraryVersion)" }.count <= 1)
        #expect(Announcement.ofLibrary.isMade)
        #expect(Announcement.ofLibrary.claim(for: log.logger) == nil)
    }
}
