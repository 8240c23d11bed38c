// Close frames, written and read.

import Testing

@testable import LWSWebSocket

@Suite("A close frame")
struct CloseFrameTests {
    @Test("may carry the contract's codes", arguments: [1000, 1001, 1002, 1003, 1007, 1011, 3000, 4999])
    func valid(_ code: Int) throws {
        let frame = try CloseFrame.checked(statusCode: code, reason: "why", host: nil)
        #expect(frame.payload == [UInt8(code >> 8), UInt8(code & 255)] + Array("why".utf8))
    }

    @Test(
        "may carry no other",
        arguments: [-1, 0, 999, 1004, 1005, 1006, 1012, 1015, 1016, 2999, 5000, 65536, 66536])
    func invalid(_ code: Int) {
        let error = #expect(throws: WebSocketError.self) {
            try CloseFrame.checked(statusCode: code, reason: nil, host: "h")
        }
        #expect(error?.code == .invalidArgument)
        #expect(error?.description.contains("Invalid status code") == true)
    }

    @Test("holds a reason of 123 bytes of UTF-8 and no more")
    func reason() throws {
        _ = try CloseFrame.checked(statusCode: 1000, reason: String(repeating: "x", count: 123), host: nil)
        let error = #expect(throws: WebSocketError.self) {
            try CloseFrame.checked(statusCode: 1000, reason: String(repeating: "ü", count: 62), host: nil)
        }
        #expect(error?.code == .invalidArgument)
    }

    @Test("is read back as it was sent")
    func read() {
        func parse(_ bytes: [UInt8]) -> CloseFrame? { bytes.withUnsafeBytes { CloseFrame(payload: $0) } }
        #expect(parse([]) == CloseFrame(code: nil, reason: ""))
        #expect(parse([3]) == nil)
        #expect(parse([3, 232, 0xc3, 0x28]) == nil)
        #expect(parse([0x13, 0x88]) == nil)
        #expect(parse([0x03, 0xf7]) == nil)
        #expect(parse([0xff, 0xff, 65]) == nil)
        #expect(parse([0x13, 0x87]) == CloseFrame(code: 4999, reason: ""))
        #expect(parse([3, 232] + Array("grüße".utf8)) == CloseFrame(code: 1000, reason: "grüße"))
        #expect(parse([3, 232]) == CloseFrame(code: 1000, reason: ""))
        #expect(parse([3, 232] + Array("bye".utf8)) == CloseFrame(code: 1000, reason: "bye"))
    }
}
