// Which libwebsockets clients are on.

internal import LWSServiceLoop
internal import Logging

/// The libwebsockets of this process, as `LWSWebSocket.libraryVersion`. May be read on any thread, at any time.
public let libraryVersion = LibraryVersion(.current)

/// A release of libwebsockets, twice: the one that this package was compiled with, and the one that is loaded.
///
/// The system may have brought another since, such as 4.3.5 in place of 4.3.3. Where one of the first two numbers differs, their
/// structures do, and nothing is done with it: connecting throws ``WebSocketError`` with the code `connection`, which names both.
public struct LibraryVersion: Sendable, Hashable, CustomStringConvertible {
    private let release: LibraryRelease

    /// The one whose headers the package was compiled with: "4.1.6".
    public var compiledWith: String { release.compiledWith }
    /// The one that is loaded, in its own words.
    public var runningWith: String { release.runningWith }

    init(_ release: LibraryRelease) { self.release = release }

    /// "libwebsockets 4.1.6", or "libwebsockets 4.3.5, compiled with 4.3.3". Also names what that was built without, of compression,
    /// IPv6 and Unix sockets.
    public var description: String { release.description }
}

/// What is said once in a process, in the log of the client that connects first.
final class Announcement: Sendable {
    private let text: String
    private let made = Locked(false)
    var isMade: Bool { made.withLock { $0 } }

    static let ofLibrary = Announcement("\(libraryVersion)")

    init(_ text: String) { self.text = text }

    /// What is to be written at the level debug; `nil` where it was before. A log that does not take it leaves it to the next.
    func claim(for logger: Logger) -> String? {
        guard logger.logLevel <= .debug else { return nil }
        let isFirst = made.withLock { made in
            defer { made = true }
            return !made
        }
        return isFirst ? text : nil
    }
}
