// Reads the answer to the upgrade out of lws.

internal import CLibWebSockets
internal import HTTPTypes
internal import LWSServiceLoop

/// Reads status and header fields of the answer, in LWS_CALLBACK_ESTABLISHED_CLIENT_HTTP, where lws has parsed
/// them and not yet judged them.
enum HandshakeResponse {
    /// - Parameter buffer: lws's service buffer, through which it has read the answer.
    static func read(_ wsi: OpaquePointer, buffer: UnsafeRawBufferPointer?) -> HTTPResponse? {
        let status = Int(lws_http_client_http_response(wsi))
        guard (100...999).contains(status) else { return nil }
        // lws reads behind LWS_PRE bytes of its buffer (core-net/service.c, lws_buflist_aware_read).
        let head = buffer.flatMap { ResponseHead(in: .init(rebasing: $0.dropFirst(clws_pre))) }
        let fields = if let head, head.status == status { head.fields } else { known(wsi) + unknown(wsi) }
        return HTTPResponse(status: .init(code: status), headerFields: HTTPFields(fields))
    }

    /// The fields that lws has a token for, each with all its values.
    private static func known(_ wsi: OpaquePointer) -> [HTTPField] {
        var fields: [HTTPField] = []
        for index in 0..<WSI_TOKEN_COUNT.rawValue {
            let token = lws_token_indexes(rawValue: index)
            guard let spelling = lws_token_to_string(token) else { continue }
            // A field's token ends in a colon; others are methods, versions and HTTP/2's pseudo fields.
            let text = spelling.withMemoryRebound(to: CChar.self, capacity: 1) { String(cString: $0) }
            guard text.hasSuffix(":"), let name = HTTPField.Name(String(text.dropLast())) else { continue }
            fields += values(of: token, wsi).map { HTTPField(name: name, value: $0) }
        }
        return fields
    }

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
        return string(buffer.prefix(Int(length)))
    }

    /// The fields that lws has no token for, where it can list them: from 4.3 on, and of those with the same name
    /// the first alone.
    private static func unknown(_ wsi: OpaquePointer) -> [HTTPField] {
        var names: [String] = []
        let status = withUnsafeMutablePointer(to: &names) { pointer in
            clws_each_unknown_header(
                wsi,
                { name, length, names in
                    guard let name, let names, length > 1 else { return }
                    let bytes = UnsafeBufferPointer(start: name, count: Int(length) - 1)
                    names.assumingMemoryBound(to: [String].self).pointee.append(
                        HandshakeResponse.string(bytes[...]))
                }, pointer)
        }
        guard status == 0 else { return [] }
        return Set(names).sorted().compactMap { name in
            guard let fieldName = HTTPField.Name(name) else { return nil }
            let key = name + ":"
            let length = lws_hdr_custom_length(wsi, key, Int32(key.utf8.count))
            guard length >= 0 else { return nil }
            var buffer = [CChar](repeating: 0, count: Int(length) + 1)
            guard lws_hdr_custom_copy(wsi, &buffer, length + 1, key, Int32(key.utf8.count)) >= 0 else { return nil }
            return HTTPField(name: fieldName, value: string(buffer.prefix(Int(length))))
        }
    }

    private static func string(_ characters: some Sequence<CChar>) -> String {
        String(decoding: characters.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}

/// The head of an HTTP answer as text.
///
/// What lws tells of an answer is not all of it: before 4.3 it cannot list the header fields that it has no token for,
/// and later it gives one value of each. So the fields are taken from the buffer that it read the answer through,
/// provided that the answer came in one read (else the buffer holds the end of it, which does not begin with a
/// status line, and lws's word has to do).
struct ResponseHead: Equatable {
    let status: Int
    let fields: [HTTPField]

    init?(in buffer: UnsafeRawBufferPointer) {
        guard buffer.count > 16, buffer.prefix(7).elementsEqual("HTTP/1.".utf8) else { return nil }
        guard let end = Self.endOfHead(buffer) else { return nil }
        let lines = String(decoding: buffer[..<end], as: UTF8.self).split(separator: "\r\n")
        let words = lines.first?.split(separator: " ", maxSplits: 2) ?? []
        guard words.count >= 2, let status = Int(words[1]) else { return nil }
        self.status = status
        fields = lines.dropFirst().compactMap { line in
            guard let colon = line.firstIndex(of: ":"), let name = HTTPField.Name(String(line[..<colon])) else {
                return nil
            }
            let value = line[line.index(after: colon)...]
            return HTTPField(name: name, value: value.trimmingBlanks)
        }
    }

    private static func endOfHead(_ buffer: UnsafeRawBufferPointer) -> Int? {
        let mark = Array("\r\n\r\n".utf8)
        guard buffer.count >= mark.count else { return nil }
        return (0...(buffer.count - mark.count)).first { buffer[$0..<($0 + mark.count)].elementsEqual(mark) }
    }
}
