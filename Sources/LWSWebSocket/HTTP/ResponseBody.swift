// The body of an HTTP/1 answer: where it ends, and what is kept of it.

internal import HTTPTypes

/// Collects a body, however it is framed (RFC 9112, section 6.3).
struct ResponseBody {
    /// Bytes that are kept of a refusal's body.
    static let refusalLimit = 4096

    enum Progress: Equatable {
        /// There may be more to come.
        case more
        case complete
        /// There is more than is kept.
        case tooLong
        /// It is not framed as its head says, or the head says nothing that can be understood.
        case unreadable
    }

    private enum Framing {
        case length(Int)
        case chunked
        /// All until TCP ends.
        case untilEnd
        case unknown
    }

    private(set) var bytes: [UInt8] = []
    private(set) var progress = Progress.more
    private let framing: Framing
    private var coding = ChunkedCoding()
    private let limit: Int

    init(of head: ResponseHead, limit: Int) {
        self.limit = limit
        framing = Self.framing(head)
        switch framing {
        case .length(0): progress = .complete
        case .unknown: progress = .unreadable
        default: break
        }
    }

    private static func framing(_ head: ResponseHead) -> Framing {
        guard head.status >= 200, head.status != 204, head.status != 304 else { return .length(0) }
        let fields = HTTPFields(head.fields)
        let codings = elements(fields[values: .transferEncoding]).map { $0.lowercased() }
        // Nobody has said that any other coding would be understood (section 7.4).
        guard codings.isEmpty else { return codings == ["chunked"] ? .chunked : .unknown }
        // A length may come twice, where it is the same (section 6.3, 5).
        let lengths = Set(elements(fields[values: .contentLength]))
        guard let length = lengths.first else { return .untilEnd }
        guard lengths.count == 1, !length.isEmpty, length.utf8.allSatisfy({ (48...57).contains($0) }) else {
            return .unknown
        }
        return .length(Int(length) ?? .max)
    }

    /// The elements of a list (RFC 9110, section 5.6.1).
    private static func elements(_ values: [String]) -> [String] {
        values.flatMap { $0.split(separator: ",") }.map(\.trimmingBlanks).filter { !$0.isEmpty }
    }

    /// Takes more of what has come. What follows the body is dropped.
    mutating func add(_ part: UnsafeRawBufferPointer) {
        guard progress == .more else { return }
        switch framing {
        case .length(let length):
            keep(.init(rebasing: part.prefix(length - bytes.count)))
            if bytes.count == length { progress = .complete }
        case .untilEnd: keep(part)
        case .chunked: decode(part)
        case .unknown: break
        }
    }

    private mutating func decode(_ part: UnsafeRawBufferPointer) {
        var content: [UInt8] = []
        // One byte more shows that there is more.
        let most = limit - bytes.count + 1
        do throws(ChunkedCoding.Failure) {
            _ = try coding.decode(part) { content += $0.prefix(most - content.count) }
            if coding.isComplete { progress = .complete }
        } catch {
            progress = .unreadable
        }
        content.withUnsafeBytes { keep($0) }
    }

    private mutating func keep(_ part: UnsafeRawBufferPointer) {
        let room = limit - bytes.count
        bytes += part.prefix(room)
        if part.count > room { progress = .tooLong }
    }

    /// TCP has ended: without a length and without chunks that is the body's end.
    mutating func end() {
        if progress == .more, case .untilEnd = framing { progress = .complete }
    }
}
