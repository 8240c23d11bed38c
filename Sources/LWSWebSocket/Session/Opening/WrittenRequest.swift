// The request that lws has written into its buffer, open for changes.

internal import CLibWebSockets
internal import LWSServiceLoop

/// The head of a request as lws has it in LWS_CALLBACK_CLIENT_APPEND_HANDSHAKE_HEADER, before it adds the empty line.
struct WrittenRequest {
    var text: String
    private let start: UnsafeMutablePointer<CChar>
    private let end: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>
    private let size: Int

    /// - Parameters:
    ///   - end: where lws's pointer to the request's end is.
    ///   - available: bytes that lws leaves for us behind it.
    ///   - beginning: how the request begins; where it does not, it is not where it is expected.
    init?(_ end: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>, available: Int, beginning: String) {
        guard let tail = end.pointee else { return nil }
        // lws passes what is left of its buffer less 12 bytes (the same in 4.1 and 4.5), so this is its start.
        let start = tail + available + 12 - LoopContext.serviceBufferSize
        guard start < tail else { return nil }
        let written = UnsafeRawBufferPointer(start: start, count: tail - start)
        guard let text = String(validating: written.bindMemory(to: UInt8.self), as: UTF8.self),
            text.hasPrefix(beginning)
        else { return nil }
        self.text = text
        self.start = start
        self.end = end
        size = written.count + available
    }

    /// Replaces a whole line. Returns whether it was there.
    mutating func replace(_ line: String, with right: String) -> Bool {
        guard line != right else { return true }
        guard let place = text.firstRange(of: line + "\r\n") else { return false }
        text.replaceSubrange(place, with: right + "\r\n")
        return true
    }

    /// Puts the text in place of what lws has written. Returns whether it fits.
    mutating func commit() -> Bool {
        text.withUTF8 { utf8 in
            guard let source = utf8.baseAddress, utf8.count <= size else { return false }
            UnsafeMutableRawPointer(start).copyMemory(from: source, byteCount: utf8.count)
            end.pointee = start + utf8.count
            return true
        }
    }
}
