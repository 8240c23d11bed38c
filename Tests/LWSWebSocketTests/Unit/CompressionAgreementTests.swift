// The offer of compression, and what counts as an answer to it.

import LWSPayload
import Testing

@testable import LWSWebSocket

@Suite("The offer of compression")
struct CompressionAgreementTests {
    private func options(_ change: (inout CompressionOptions) -> Void = { _ in }) -> CompressionOptions {
        var options = CompressionOptions()
        change(&options)
        return options
    }

    private func isInvalid(_ fields: [String], _ offered: CompressionOptions?) -> Bool {
        guard case .invalid = CompressionAgreement.read(fields, offered: offered) else { return false }
        return true
    }

    @Test("says what is set, and that the server may ask for a smaller window")
    func offer() {
        #expect(options().offer == "permessage-deflate; client_max_window_bits")
        let all = options {
            $0.serverNoContextTakeover = true
            $0.clientNoContextTakeover = true
            $0.serverMaxWindowBits = 10
            $0.clientMaxWindowBits = 11
        }
        #expect(
            all.offer == "permessage-deflate; server_no_context_takeover; client_no_context_takeover; "
                + "server_max_window_bits=10; client_max_window_bits=11")
    }

    @Test("may be declined", arguments: [[], [""], [" , "]])
    func declined(_ fields: [String]) {
        #expect(CompressionAgreement.read(fields, offered: options()) == .declined)
        #expect(CompressionAgreement.read(fields, offered: nil) == .declined)
    }

    @Test("may be agreed to, with more or less than was asked for")
    func agreed() {
        let plain = CompressionAgreement(level: 1)
        #expect(CompressionAgreement.read(["permessage-deflate"], offered: options()) == .agreed(plain))
        var full = plain
        full.serverNoContextTakeover = true
        full.clientNoContextTakeover = true
        full.serverWindowBits = 8
        full.clientWindowBits = 9
        let answer =
            "permessage-deflate;server_no_context_takeover ; client_no_context_takeover; "
            + "server_max_window_bits=\"8\"; client_max_window_bits=9"
        #expect(CompressionAgreement.read([answer], offered: options()) == .agreed(full))
    }

    @Test("binds this side to what it has offered, whether the server repeats it or not")
    func ownPromises() {
        let offered = options {
            $0.clientNoContextTakeover = true
            $0.clientMaxWindowBits = 10
            $0.level = 7
        }
        var expected = CompressionAgreement(level: 7)
        expected.clientNoContextTakeover = true
        expected.clientWindowBits = 10
        #expect(CompressionAgreement.read(["permessage-deflate"], offered: offered) == .agreed(expected))
    }

    @Test(
        "is not answered by anything else",
        arguments: [
            "x-other", "permessage-deflate, permessage-deflate", "permessage-deflate, x-other", "PERMESSAGE-DEFLATE",
            "permessage-deflate; unknown", "permessage-deflate; rx_buf_size=40", "permessage-deflate; mem_level=9",
            "permessage-deflate; compression_level=9", "permessage-deflate; tx_buf_size=2", "permessage-deflate;",
            "permessage-deflate; server_no_context_takeover; server_no_context_takeover",
            "permessage-deflate; server_no_context_takeover=1", "permessage-deflate; server_max_window_bits",
            "permessage-deflate; server_max_window_bits=7", "permessage-deflate; server_max_window_bits=16",
            "permessage-deflate; server_max_window_bits=010", "permessage-deflate; client_max_window_bits",
            "permessage-deflate; client_max_window_bits=99999999999999999999", "permessage-deflate;\tclient_x",
            "permessage-deflate; client_max_window_bits = 9",
        ])
    func invalid(_ answer: String) {
        #expect(isInvalid([answer], options()))
    }

    @Test("is not answered by several fields either, nor without an offer")
    func severalFields() {
        #expect(isInvalid(["permessage-deflate", "permessage-deflate"], options()))
        #expect(isInvalid(Array(repeating: "permessage-deflate", count: 200), options()))
        #expect(isInvalid(["permessage-deflate"], nil))
    }

    @Test("is not answered by larger windows than offered, or without what was asked of the server")
    func tooMuch() {
        let small = options {
            $0.serverMaxWindowBits = 10
            $0.clientMaxWindowBits = 10
        }
        #expect(isInvalid(["permessage-deflate; server_max_window_bits=11"], small))
        #expect(isInvalid(["permessage-deflate; server_max_window_bits=10; client_max_window_bits=11"], small))
        #expect(isInvalid(["permessage-deflate"], small))
        #expect(!isInvalid(["permessage-deflate; server_max_window_bits=9"], small))
        #expect(isInvalid(["permessage-deflate"], options { $0.serverNoContextTakeover = true }))
    }

    @Test("is refused before anything is sent where it cannot be one")
    func validation() {
        let wrong: [(String, (inout CompressionOptions) -> Void)] = [
            ("serverMaxWindowBits", { $0.serverMaxWindowBits = 7 }),
            ("serverMaxWindowBits", { $0.serverMaxWindowBits = 16 }),
            ("clientMaxWindowBits", { $0.clientMaxWindowBits = 8 }),
            ("clientMaxWindowBits", { $0.clientMaxWindowBits = 16 }), ("level", { $0.level = 0 }),
            ("level", { $0.level = 10 }),
        ]
        for (field, change) in wrong {
            var configuration = ClientConfiguration()
            change(&configuration.compression)
            let error = failure { try WebSocketClient(unconnected: "ws://h/", configuration: configuration) }
            #expect(error?.code == .invalidArgument)
            #expect(error?.description.hasPrefix("compression.\(field)") == true)
        }
    }
}
