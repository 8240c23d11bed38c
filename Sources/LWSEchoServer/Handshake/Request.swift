// A handshake's request, as far as lws tells it.

import CLibWebSockets
import LWSServiceLoop

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// The request of the connection that lws calls back for, readable until the upgrade is done.
enum Request {
    /// A header's value, or `nil` where the request has none; several of one name are joined with commas.
    static func header(_ token: lws_token_indexes, of wsi: OpaquePointer, _ held: borrowing HeldLoop) -> [UInt8]? {
        let count = Int(lws_hdr_total_length(wsi, token))
        guard count > 0 else { return nil }
        // One byte for the NUL; more, because lws counts the separators in some releases and not in others.
        return read(count + 256) { lws_hdr_copy(wsi, $0, $1, token) }
    }

    static func path(of wsi: OpaquePointer, _ held: borrowing HeldLoop) -> [UInt8] {
        header(WSI_TOKEN_GET_URI, of: wsi, held) ?? []
    }

    /// The request's headers as a JSON array of `[name, value]` pairs, names in lower case.
    ///
    /// lws sorts headers into a table of those it knows and keeps no order between them: they come in the table's
    /// order. Headers that it does not know follow where the release can list them (4.3 and newer).
    static func headersAsJSON(of wsi: OpaquePointer, _ held: borrowing HeldLoop) -> String {
        var pairs: [(name: [UInt8], value: [UInt8])] = []
        for index in 0..<WSI_TOKEN_COUNT.rawValue {
            let token = lws_token_indexes(rawValue: index)
            // Header names end in a colon. The others are methods ("get ") and the parts of the request line; names
            // that begin with one are HTTP/2's.
            guard let text = lws_token_to_string(token) else { continue }
            let name = Array(UnsafeBufferPointer(start: text, count: strlen(text)))
            guard name.count > 1, name.last == colon, name.first != colon else { continue }
            if let value = header(token, of: wsi, held) { pairs.append((name.dropLast(), value)) }
        }
        for name in unknownNames(of: wsi, held) {
            let count = Int(custom(name) { lws_hdr_custom_length(wsi, $0, $1) })
            guard count >= 0,
                let value = read(
                    count + 1, { to, size in custom(name) { lws_hdr_custom_copy(wsi, to, size, $0, $1) } })
            else { continue }
            pairs.append((name.last == colon ? name.dropLast() : name, value))
        }
        return "[" + pairs.map { "[\(quoted($0.name)),\(quoted($0.value))]" }.joined(separator: ",") + "]"
    }

    private static let colon = UInt8(ascii: ":")

    private static func read(
        _ capacity: Int, _ copy: (UnsafeMutablePointer<CChar>?, Int32) -> Int32
    ) -> [UInt8]? {
        var buffer = [CChar](repeating: 0, count: capacity)
        let count = buffer.withUnsafeMutableBufferPointer {
            copy($0.baseAddress, Int32(truncatingIfNeeded: $0.count))
        }
        return count < 0 ? nil : buffer.prefix(Int(count)).map { UInt8(bitPattern: $0) }
    }

    private static func custom(_ name: [UInt8], _ call: (UnsafePointer<CChar>?, Int32) -> Int32) -> Int32 {
        name.withUnsafeBytes { call($0.baseAddress?.assumingMemoryBound(to: CChar.self), Int32($0.count)) }
    }

    private static func unknownNames(of wsi: OpaquePointer, _ held: borrowing HeldLoop) -> [[UInt8]] {
        var names: [[UInt8]] = []
        withUnsafeMutablePointer(to: &names) { names in
            _ = clws_each_unknown_header(
                wsi,
                { name, count, names in
                    guard let name, let names, count > 0 else { return }
                    let bytes = UnsafeRawBufferPointer(start: name, count: Int(count))
                    names.assumingMemoryBound(to: [[UInt8]].self).pointee.append(Array(bytes))
                }, names)
        }
        return names
    }

    private static func quoted(_ bytes: [UInt8]) -> String {
        var text = "\""
        for scalar in String(decoding: bytes, as: UTF8.self).unicodeScalars {
            switch scalar {
            case "\"", "\\": text += "\\\(scalar)"
            case "\u{0}"..<" ":
                let digits = String(scalar.value, radix: 16)
                text += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: text.unicodeScalars.append(scalar)
            }
        }
        return text + "\""
    }
}
