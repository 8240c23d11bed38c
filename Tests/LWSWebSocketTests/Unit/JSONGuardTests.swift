// JSON that is made to bring a decoder down.

import Foundation
import LWSServiceLoop
import TestSupport
import Testing

@testable import LWSWebSocket

/// A type that contains itself, and fails in its depth only.
private struct Nested: Decodable {
    init(from decoder: any Decoder) throws {
        if var elements = try? decoder.unkeyedContainer() {
            _ = try elements.decode(Nested.self)
        } else if let members = try? decoder.container(keyedBy: Key.self) {
            _ = try members.decode(Nested.self, forKey: .a)
        } else {
            _ = try decoder.singleValueContainer().decode(String.self)
        }
    }

    private enum Key: CodingKey { case a }
}

@Suite("Deeply nested JSON")
struct JSONGuardTests {
    private func nested(_ open: String, _ close: String, _ count: Int) -> String {
        String(repeating: open, count: count) + "1" + String(repeating: close, count: count)
    }

    private func isTooDeep(_ text: String, allowsJSON5: Bool = false) -> Bool {
        let configuration = ClientConfiguration()
        configuration.jsonDecoder.allowsJSON5 = allowsJSON5
        let binding = MessageBinding(configuration, host: "h")
        let errors = [WebSocketMessage.text(text), .binary(Array(text.utf8))].map { message in
            failure { try binding.bind(message, as: JSONValue.self) }
        }
        return errors.allSatisfy { $0?.code == .payloadBinding && $0?.description.contains("64 deep") == true }
    }

    @Test("is an error, whatever it consists of", arguments: [65, 512, 513, 514, 100_000])
    func deep(_ depth: Int) {
        #expect(isTooDeep(nested("[", "]", depth)))
        #expect(isTooDeep(nested("{\"a\":", "}", depth)))
        #expect(isTooDeep(String(repeating: "[", count: depth)))
        #expect(isTooDeep(String(repeating: "[{\"\":", count: depth)))
    }

    @Test("binds up to the limit, on a thread with little stack too")
    func limit() throws {
        let texts = [nested("[", "]", 64), nested("{\"a\":", "}", 64)]
        // Decoded twice, the second time to find the place.
        let invalid = texts.map { $0.replacing("1", with: "\"\\ud800\"") }
        let done = MonotonicSemaphore()
        let bound = Locked(0)
        let thread = Thread {
            let binding = MessageBinding(ClientConfiguration(), host: "h")
            for text in texts where (try? binding.bind(.text(text), as: JSONValue.self)) != nil {
                bound.withLock { $0 += 1 }
            }
            for text in invalid {
                if (try? binding.bind(.text(text), as: JSONValue.self)) == nil { bound.withLock { $0 += 1 } }
                if (try? binding.bind(.text(text), as: Nested.self)) == nil { bound.withLock { $0 += 1 } }
            }
            done.signal()
        }
        // The sanitizers need several times the stack.
        thread.stackSize = Sanitizer.isActive ? 8 << 20 : 512 << 10
        thread.start()
        #expect(done.wait(until: Deadline(after: Timing.ages)))
        #expect(bound.withLock { $0 } == 6)
    }

    @Test("is not what brackets in strings are, nor many values side by side")
    func flat() throws {
        let binding = MessageBinding(ClientConfiguration(), host: "h")
        let brackets = String(repeating: "[", count: 1000)
        #expect(try binding.bind(.text("[\"\(brackets)\"]"), as: [String].self) == [brackets])
        #expect(try binding.bind(.text("[\"\\\"\(brackets)\\\\\"]"), as: [String].self) == ["\"\(brackets)\\"])
        let wide = "[" + Array(repeating: "{\"a\":[]}", count: 1000).joined(separator: ",") + "]"
        #expect(try binding.bind(.text(wide), as: JSONValue.self).arrayValue?.count == 1000)
    }

    @Test("cannot hide behind what only JSON5 allows")
    func json5() throws {
        let deep = nested("[", "]", 200)
        for hidden in ["['\"',\(deep)]", "[/* \" */\(deep)]", "[// \"\n\(deep)]", "['\\'\"',\(deep)]"] {
            #expect(isTooDeep(hidden, allowsJSON5: true))
        }
        let configuration = ClientConfiguration()
        configuration.jsonDecoder.allowsJSON5 = true
        let brackets = String(repeating: "[", count: 1000)
        let binding = MessageBinding(configuration, host: "h")
        let text = "[ '\(brackets)', /* \(brackets) * */ \"\(brackets)'\", // \(brackets)\n ]"
        #expect(try binding.bind(.text(text), as: [String].self) == [brackets, brackets + "'"])
    }
}
