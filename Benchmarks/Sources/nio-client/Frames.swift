// Frames of the measured messages, and checks of those that come.

import CMeasure
import NIOCore
import NIOWebSocket

extension WebSocketFrame {
    static func measured(_ number: Int, _ size: Int) -> WebSocketFrame {
        let bytes = UnsafeBufferPointer(start: bench_payload(number, size), count: size)
        return WebSocketFrame(
            fin: true, opcode: .binary, maskKey: .random(), data: ByteBuffer(bytes: UnsafeRawBufferPointer(bytes)))
    }

    static func text(_ text: String) -> WebSocketFrame {
        WebSocketFrame(fin: true, opcode: .text, maskKey: .random(), data: ByteBuffer(string: text))
    }

    func check(_ number: Int, _ size: Int) {
        let isRight =
            fin && opcode == .binary
            && data.withUnsafeReadableBytes { bytes in
                bench_check(number, bytes.baseAddress?.assumingMemoryBound(to: UInt8.self), bytes.count, size)
            }
        if !isRight { bench_fail("wrong content") }
    }

    func checkReport(_ count: Int, _ size: Int) {
        if String(buffer: data) != "\(count) \(count * size)" {
            bench_fail("the server counted something else: \(String(buffer: data))")
        }
    }
}
