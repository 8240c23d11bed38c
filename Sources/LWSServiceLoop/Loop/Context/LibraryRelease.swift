// Which libwebsockets this process has, and whether it can be used; and which release of this package it is.

import CLibWebSockets

/// The release whose headers the package was compiled with, and the one that is loaded.
package struct LibraryRelease: Sendable, Hashable, CustomStringConvertible {
    package let compiledWith: String
    package let runningWith: String
    /// What the one that was compiled with was built without.
    private let missing: [LibraryFeature]

    package static let current = LibraryRelease(
        compiledWith: LWS_LIBRARY_VERSION, runningWith: lws_get_library_version().map { String(cString: $0) } ?? "",
        missing: LibraryFeature.missing)

    package init(compiledWith: String, runningWith: String, missing: [LibraryFeature] = []) {
        self.compiledWith = Self.words(compiledWith)
        self.runningWith = Self.words(runningWith)
        self.missing = missing
    }

    /// Why it cannot be used; `nil` where it can.
    ///
    /// lws changes its structures from 4.1 to 4.2 and so on, and the name of its shared library with them (its soname). So a loader
    /// finds no other by itself, but one may be preloaded, or be found by another name.
    package var objection: String? {
        if let compiled = Self.series(compiledWith), let running = Self.series(runningWith), compiled != running {
            return
                "libwebsockets \(runningWith) is loaded, but this program was compiled with \(compiledWith), whose "
                + "structures are others; compile it anew after swift package clean, "
                + "or have the other one found (LD_LIBRARY_PATH, LD_PRELOAD)"
        }
        // The others that do so go by numbers of releases that do not.
        let mistakes = ["4.4.3", "4.4.4", "4.4.5"].contains { runningWith == $0 || runningWith.hasPrefix($0 + "-") }
        return mistakes ? "libwebsockets \(runningWith) \(Self.mistake)" : nil
    }

    /// What is wrong with those of which this is known.
    package static let mistake = "takes control frames for messages, as 4.4.2 to 4.5.0 do; use another release"

    /// Whether a client of it may be handed the payload of control frames as that of messages.
    package static let mayMistakeControlFrames = clws_may_mistake_control_frames()

    /// "4.1" of "4.1.6"; `nil` where it begins otherwise, as some who build lws may have it.
    private static func series(_ release: String) -> [Int]? {
        let numbers = release.split(separator: ".", omittingEmptySubsequences: false).prefix(2).map { Int($0) }
        let known = numbers.compactMap { $0 }
        return known.count == 2 ? known : nil
    }

    /// "libwebsockets 4.1.6", or "libwebsockets 4.3.5, compiled with 4.3.3, without compression or IPv6".
    package var description: String {
        let compiled = compiledWith == runningWith ? "" : ", compiled with \(compiledWith)"
        let without = missing.isEmpty ? "" : ", without \(missing.map(\.name).joined(separator: " or "))"
        return "libwebsockets \(runningWith)" + compiled + without
    }

    /// lws adds a dash, and which commit it was built from, where that is known.
    private static func words(_ release: String) -> String {
        for ending in ["-unknown", "-"] where release.hasSuffix(ending) {
            return String(release.dropLast(ending.count))
        }
        return release
    }
}

/// This package's own release.
package enum PackageRelease {
    /// As in CHANGELOG.md.
    package static let number = "0.1.0"

    /// What its programs say for `--version`.
    package static var description: String { "\(number), \(LibraryRelease.current)" }
}
