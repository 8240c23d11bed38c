// Values of options that are more than a text or a number.

import ArgumentParser

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// A time in seconds with decimals, or "none".
struct TimeLimit: ExpressibleByArgument, Equatable {
    /// `nil`: none.
    let duration: Duration?

    init?(argument: String) {
        if argument == "none" {
            duration = nil
        } else {
            guard let seconds = Double(argument), seconds >= 0, seconds < 1e9 else { return nil }
            duration = .seconds(seconds)
        }
    }
}

/// A number of bytes, with K, M or G for its multiples (of 1,024), or "none".
struct ByteCount: ExpressibleByArgument, Equatable {
    /// `nil`: none.
    let bytes: Int?

    init(_ bytes: Int) { self.bytes = bytes }

    /// As a default is shown.
    var defaultValueDescription: String { bytes.map { "\($0)" } ?? "none" }

    init?(argument: String) {
        if argument == "none" {
            bytes = nil
            return
        }
        let shifts: [Character: Int] = ["k": 10, "m": 20, "g": 30]
        let shift = argument.last.flatMap { shifts[Character($0.lowercased())] }
        guard let number = Int(shift == nil ? argument[...] : argument.dropLast()), number >= 0,
            number <= Int.max >> (shift ?? 0)
        else { return nil }
        bytes = number << (shift ?? 0)
    }
}

/// A secret: itself, or `@` and the file whose first line it is, where it does not show in the list of processes.
struct Secret: ExpressibleByArgument {
    private let argument: String

    init(argument: String) { self.argument = argument }

    /// - Parameter option: named where the file cannot be read.
    func value(of option: String) throws(Failure) -> String {
        guard argument.hasPrefix("@") else { return argument }
        let path = String(argument.dropFirst())
        let data: Data
        do { data = try Data(contentsOf: URL(filePath: path)) } catch {
            throw Failure(.usage, "\(option): the file \(path) cannot be read")
        }
        var line = data.prefix { $0 != UInt8(ascii: "\n") }
        if line.last == UInt8(ascii: "\r") { line.removeLast() }
        return String(decoding: line, as: UTF8.self)
    }
}

/// Shows nothing of the secret, neither in a dump nor where the parser speaks of a value.
extension Secret: CustomStringConvertible, CustomReflectable {
    var description: String { "(secret)" }
    var customMirror: Mirror { Mirror(self, children: [:]) }
}
