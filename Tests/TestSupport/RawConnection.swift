// One accepted connection of a scripted server.

import Foundation
import LWSServiceLoop

/// What a script of ``RawServer`` talks through. One thread reads at a time; another may send or close meanwhile, without
/// TLS.
package final class RawConnection: Sendable {
    private let socket: SocketHandle
    private let stopped: MonotonicSemaphore
    private let tls = Locked<TLSSession?>(nil)
    /// What was read past the end of a request's head.
    private let pending = Locked<[UInt8]>([])

    init(_ socket: SocketHandle, stopped: MonotonicSemaphore) {
        self.socket = socket
        self.stopped = stopped
    }

    /// Does the handshake of TLS, where there is to be one. False where it fails.
    func secure(with identity: TLSIdentity?) -> Bool {
        guard let identity else { return true }
        guard let session = socket.use({ TLSSession(identity, on: $0) }) ?? nil else { return false }
        tls.withLock { $0 = session }
        return true
    }

    // MARK: Reading

    /// The request line and all header fields, up to and including the empty line.
    package func readRequestHead() throws -> String {
        let end = Array("\r\n\r\n".utf8)
        var looked = 0
        while true {
            let head: [UInt8]? = pending.withLock { pending in
                for start in max(0, looked - 3)..<max(looked, pending.count - 3)
                where pending[start..<start + 4].elementsEqual(end) {
                    defer { pending.removeFirst(start + 4) }
                    return Array(pending.prefix(start + 4))
                }
                looked = max(looked, pending.count - 3)
                return nil
            }
            if let head { return String(decoding: head, as: UTF8.self) }
            guard fill() else { throw PeerError("the peer ended the connection within a request's head") }
        }
    }

    /// Exactly `count` bytes.
    package func read(_ count: Int) throws -> [UInt8] {
        while true {
            let taken: [UInt8]? = pending.withLock { pending in
                guard pending.count >= count else { return nil }
                defer { pending.removeFirst(count) }
                return Array(pending.prefix(count))
            }
            if let taken { return taken }
            guard fill() else {
                throw PeerError("the peer ended the connection or fell silent, \(count) more bytes were expected")
            }
        }
    }

    /// What there is, of at most `count` bytes; blocks for at least one. Empty at the end.
    package func readSome(atMost count: Int) -> [UInt8] {
        while true {
            let taken = pending.withLock { pending in
                defer { pending.removeFirst(min(count, pending.count)) }
                return Array(pending.prefix(count))
            }
            if !taken.isEmpty || !fill() { return taken }
        }
    }

    /// Everything up to the end of the connection, in whichever way it ends.
    package func readUntilEnd() -> [UInt8] {
        while fill() {}
        return pending.withLock { pending in
            defer { pending = [] }
            return pending
        }
    }

    /// Blocks until the peer ends TCP, or the server is stopped. What still comes is dropped.
    package func waitForEnd() { _ = readUntilEnd() }

    package func readFrame() throws -> RawFrame { try RawFrame(reading: read) }

    /// Whether neither a byte nor the end of the connection comes for so long.
    package func isQuiet(for duration: Duration) -> Bool {
        guard pending.withLock({ $0.isEmpty }) else { return false }
        let milliseconds = Int32(duration / .milliseconds(1))
        return socket.use { descriptor in
            var watched = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            return poll(&watched, 1, milliseconds) == 0
        } ?? false
    }

    /// Reads what there is, blocking for at least a byte. False at the end.
    private func fill() -> Bool {
        var chunk = [UInt8](repeating: 0, count: 16384)
        let session = tls.withLock { $0 }
        let count = socket.use { descriptor in
            if let session { return session.read(&chunk) }
            while true {
                let count = recv(descriptor, &chunk, chunk.count, 0)
                if count >= 0 || errno != EINTR { return count }
            }
        }
        guard let count, count > 0 else { return false }
        pending.withLock { $0 += chunk.prefix(count) }
        return true
    }

    // MARK: Sending

    /// Sends all of `bytes`; false where the peer was gone before.
    @discardableResult
    package func send(_ bytes: [UInt8]) -> Bool {
        #if canImport(Darwin)
            let flags: Int32 = 0
        #else
            let flags = Int32(MSG_NOSIGNAL)
        #endif
        let session = tls.withLock { $0 }
        let sent = socket.use { descriptor in
            bytes.withUnsafeBytes { bytes in
                var rest = bytes[...]
                while !rest.isEmpty {
                    let part = UnsafeRawBufferPointer(rebasing: rest)
                    if let session {
                        let count = session.write(part)
                        guard count > 0 else { return false }
                        rest = rest.dropFirst(count)
                        continue
                    }
                    #if canImport(Darwin)
                        let count = Darwin.send(descriptor, part.baseAddress, part.count, flags)
                    #else
                        let count = Glibc.send(descriptor, part.baseAddress, part.count, flags)
                    #endif
                    if count < 0 && errno == EINTR { continue }
                    guard count > 0 else { return false }
                    rest = rest.dropFirst(count)
                }
                return true
            }
        }
        return sent ?? false
    }

    @discardableResult
    package func send(_ text: String) -> Bool { send(Array(text.utf8)) }

    /// One unmasked frame; wrong ones are sent as they are asked for.
    @discardableResult
    package func sendFrame(fin: Bool = true, rsv: UInt8 = 0, opcode: UInt8, _ payload: [UInt8] = []) -> Bool {
        send(RawFrame(fin: fin, rsv: rsv, opcode: opcode, payload: payload).serverBytes)
    }

    /// Reads the request and answers it with 101. Returns the request's head.
    /// - Parameters:
    ///   - extraHeaders: whole lines, such as `Sec-WebSocket-Protocol: chat`, sent after the usual ones.
    ///   - acceptOverride: sent instead of the right value of Sec-WebSocket-Accept.
    ///   - frames: sent in one piece with the answer.
    @discardableResult
    package func acceptUpgrade(
        extraHeaders: [String] = [], acceptOverride: String? = nil, followedBy frames: [RawFrame] = []
    ) throws -> String {
        let head = try readRequestHead()
        guard let key = Self.field("Sec-WebSocket-Key", in: head) else {
            throw PeerError("no Sec-WebSocket-Key in the request:\n\(head)")
        }
        let lines =
            [
                "HTTP/1.1 101 Switching Protocols", "Upgrade: websocket", "Connection: Upgrade",
                "Sec-WebSocket-Accept: \(acceptOverride ?? Self.accept(for: key))",
            ] + extraHeaders
        send(Array((lines.joined(separator: "\r\n") + "\r\n\r\n").utf8) + frames.flatMap(\.serverBytes))
        return head
    }

    /// The value of a header field in a request's head, `nil` where it is absent.
    package static func field(_ name: String, in head: String) -> String? {
        for line in head.components(separatedBy: "\r\n").dropFirst() {
            let parts = line.split(separator: ":", maxSplits: 1)
            guard let first = parts.first, first.lowercased() == name.lowercased() else { continue }
            return parts.count == 2 ? parts[1].trimmingCharacters(in: .whitespaces) : ""
        }
        return nil
    }

    /// The answer to a key (RFC 6455, section 4.2.2).
    package static func accept(for key: String) -> String {
        Data(SHA1.digest(Array((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").utf8))).base64EncodedString()
    }

    /// The peer's address, numeric.
    package var peerAddress: String? { socket.use(Loopback.peerAddress(of:)) ?? nil }

    // MARK: Ending

    /// Sends nothing more; the peer sees the end of the stream, and can still be read.
    package func endOutput() {
        tls.withLock { $0 }?.end()
        socket.endOutput()
    }

    /// Ends the connection with a FIN. Where bytes of the peer lie unread the system resets it instead.
    package func closeConnection() { socket.close() }

    /// Ends the connection with a RST.
    package func reset() { socket.reset() }

    /// Blocks until the server is stopped: for the server that says nothing.
    package func hold() {
        _ = stopped.wait(until: .never)
        stopped.signal()  // for the next one
    }
}
