// Reads what lws acts on out of an answer to the upgrade.

internal import CLibWebSockets

/// The header fields of an answer as lws has parsed them, for what it goes by. What applications see are those of the
/// ``ResponseHead``.
enum HandshakeResponse {
    /// The values of a field, in order.
    static func values(of token: lws_token_indexes, _ wsi: OpaquePointer) -> [String] {
        var values: [String] = []
        while let value = fragmentValue(wsi, token, Int32(values.count)) { values.append(value) }
        return values
    }

    /// The value of a field that comes once.
    static func value(of token: lws_token_indexes, _ wsi: OpaquePointer) -> String? {
        fragmentValue(wsi, token, 0)
    }

    private static func fragmentValue(
        _ wsi: OpaquePointer, _ token: lws_token_indexes, _ fragment: Int32
    ) -> String? {
        let length = lws_hdr_fragment_length(wsi, token, fragment)
        guard length > 0 else { return nil }
        var buffer = [CChar](repeating: 0, count: Int(length) + 1)
        guard lws_hdr_copy_fragment(wsi, &buffer, length + 1, token, fragment) >= 0 else { return nil }
        return String(decoding: buffer.prefix(Int(length)).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
