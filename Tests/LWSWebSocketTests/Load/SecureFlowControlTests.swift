// Much data over TLS, and nobody who takes it.

import LWSEchoServer
import LWSServiceLoop
import TestSupport
import Testing

@testable import LWSWebSocket

@Suite("Back-pressure over TLS", .serialized)
struct SecureFlowControlTests {
    private static let versions: [EchoServer.TLS.Version] = [.tls12, .tls13]

    @Test(
        "keeps a client that does not read small while a server pushes 16 MB, without work, and loses nothing",
        arguments: versions, Sanitizer.isActive ? [40000] : [65536, 4096, 5000, 16380, 40000])
    func push(_ version: EchoServer.TLS.Version, _ size: Int) throws {
        let server = try SecureFaults.echoServer([version])
        defer { server.stop() }
        let total = 16 << 20
        let count = total / size
        let loop = WebSocketLoop()
        let before = ProcessMetrics.heapInUse()
        let client = try WebSocketClient(
            server.url("/push/\(count)/\(size)"), configuration: SecureFaults.configuration(), loop: loop)
        #expect(eventually { client.inside.isPaused })
        // lws has a list of connections with decrypted bytes that nobody has fetched, and must not go round in it.
        let work = try LoopWork(of: loop, during: .milliseconds(200))
        #expect(work.isIdle, "\(work)")
        let growth = ProcessMetrics.heapInUse() - before
        #expect(Sanitizer.isActive || growth < total / 2, "\(growth >> 20) MiB")
        // The loop serves others, and what this client sends goes out.
        try client.ping([1])
        try client.writeTextMessage("sent while nothing is read")
        let other = try WebSocketClient(server.url(), configuration: SecureFaults.configuration(), loop: loop)
        try other.writeTextMessage("other")
        #expect(try other.readTextMessage() == "other")
        try client.readPushed(count, of: size)
        #expect(try client.readTextMessage() == "sent while nothing is read")
        try client.close()
    }

    @Test("takes no processor time while a client waits for more of a server that has nothing to say")
    func idle() throws {
        let server = try SecureFaults.echoServer()
        defer { server.stop() }
        let loop = WebSocketLoop()
        let client = try WebSocketClient(server.url(), configuration: SecureFaults.configuration(), loop: loop)
        for size in [1, 4096, 16384, 65536] {
            try client.writeBinaryMessage([UInt8](repeating: 1, count: size))
            #expect(try client.readBinaryMessage().count == size)
            let work = try LoopWork(of: loop, during: .milliseconds(200))
            #expect(work.isIdle, "\(size): \(work)")
        }
        try client.close()
    }

    @Test("stops at its limit of messages too, and goes on when they are read")
    func manySmall() throws {
        let server = try SecureFaults.echoServer()
        defer { server.stop() }
        let count = 20_000
        let client = try WebSocketClient(server.url("/push/\(count)/1"), configuration: SecureFaults.configuration())
        #expect(eventually { client.inside.isPaused })
        for index in 0..<count {
            let message = try client.readBinaryMessage()
            if message != [UInt8(truncatingIfNeeded: index)] { Issue.record("message \(index) is wrong") }
        }
        try client.close()
    }

    @Test("stops in the middle of a record, and leaves the loop to others", arguments: [1, 100, 1000])
    func insideRecord(_ size: Int) throws {
        let count = 10_000
        let frame = RawFrame(opcode: 2, payload: [UInt8](repeating: 7, count: size)).serverBytes
        // Whole frames at a time: element by element takes longer than a read waits, under a sanitizer.
        var bytes: [UInt8] = []
        bytes.reserveCapacity(count * frame.count)
        for _ in 0..<count { bytes += frame }
        let server = try RawServer(tls: TLSIdentity(CertificateAuthority.shared.server(.good))) { [bytes] peer in
            _ = try? peer.acceptUpgrade()
            peer.send(bytes)
            peer.waitForEnd()
        }
        defer { server.stop() }
        let healthy = try EchoServer()
        let other = try WebSocketClient("ws://127.0.0.1:\(healthy.port)/echo")
        let client = try WebSocketClient(server.url(), configuration: SecureFaults.configuration())
        #expect(eventually { client.inside.isPaused })
        try other.writeTextMessage("still served")
        #expect(try other.readTextMessage() == "still served")
        for _ in 0..<count {
            let isWhole = try client.readBinaryMessage().count == size
            #expect(isWhole)
        }
    }

    @Test("does not keep close from seeing the peer's close frame")
    func close() throws {
        let server = try SecureFaults.echoServer()
        defer { server.stop() }
        let loop = WebSocketLoop()
        let client = try WebSocketClient(
            server.url("/push/500/65536"), configuration: SecureFaults.configuration(), loop: loop)
        #expect(eventually { client.inside.isPaused })
        try loop.lookOnlyWhenAsked()
        let time = try Timing.of { try client.close(timeout: Timing.ages) }
        #expect(time < Timing.ages, "it waited for its limit")
        #expect(client.inside.receivedClose?.code == 1000)
    }

    @Test(
        "8 clients on one loop, with 16 MB each both ways",
        arguments: versions.filter { !Sanitizer.isActive || $0 == .tls13 })
    func manyClients(_ version: EchoServer.TLS.Version) throws {
        let server = try SecureFaults.echoServer([version])
        defer { server.stop() }
        let loop = WebSocketLoop()
        // Making them takes most of the time under a sanitizer.
        let count = Sanitizer.isActive ? 1 : 16
        let configuration = try SecureFaults.configuration {
            ($0.readTimeout, $0.writeTimeout) = (.seconds(60), .seconds(60))
        }
        let clients = try (0..<8).map { _ in
            try WebSocketClient(server.url(), configuration: configuration, loop: loop)
        }
        var generator = SeededGenerator(seed: 5)
        let noise = generator.bytes(2 << 20)
        /// A megabyte that begins elsewhere in the noise for each.
        @Sendable func message(_ client: Int, _ index: Int) -> [UInt8] {
            Array(noise[((client * count + index) << 10)...].prefix(1 << 20))
        }
        let writers = try clients.enumerated().map { number, client in
            try Background { for index in 0..<count { try client.writeBinaryMessage(message(number, index)) } }
        }
        let readers = try clients.enumerated().map { number, client in
            try Background {
                for index in 0..<count {
                    let isRight = areSame(try client.readBinaryMessage(), message(number, index))
                    if !isRight { Issue.record("message \(index) of client \(number) is wrong") }
                }
            }
        }
        for call in writers + readers { try call.value(within: .seconds(300)) }
        for client in clients { try client.close() }
    }

    /// Payloads around the ends of a TLS record, also with the heads of the frames, of 4 and 8 bytes, in it.
    private static let sizes =
        [16_383, 16_384, 16_385, 16_386, 32_768, 65_536, 1 << 20] + Array(16_374...16_382)
        + [4_091, 4_092, 4_093, 4_096, 8_184, 8_192, 12_288, 32_760, 32_764, 65_535, 131_072]

    @Test("messages of any size around a record's come back as they were", arguments: versions, [false, true])
    func recordSizes(_ version: EchoServer.TLS.Version, _ compresses: Bool) throws {
        let echo = try SecureFaults.echoServer([version])
        let python = try SecureFaults.pythonServer(compression: true)
        defer {
            echo.stop()
            python.stop()
        }
        let configuration = try SecureFaults.configuration {
            $0.maxFrameSize = 2 << 20
            $0.webSocketCompressionEnabled = compresses
        }
        for url in [echo.url(), python.url()] {
            let client = try WebSocketClient(url, configuration: configuration)
            var generator = SeededGenerator(seed: 7)
            for size in Self.sizes {
                let bytes = generator.bytes(size)
                try client.writeBinaryMessage(bytes)
                let isRight = areSame(try client.readBinaryMessage(), bytes)
                #expect(isRight, "\(size)")
            }
            // Several at once, so that records hold the end of one and the beginning of the next.
            let writing = try Background { [generator] in
                var generator = generator
                for size in Self.sizes { try client.writeBinaryMessage(generator.bytes(size)) }
            }
            for size in Self.sizes {
                let isRight = areSame(try client.readBinaryMessage(), generator.bytes(size))
                #expect(isRight, "\(size)")
            }
            try writing.value()
            try client.close()
        }
    }

    @Test("fragments come together, compressed and not", arguments: [1, 2, 5, 64], [false, true])
    func fragments(_ count: Int, _ compresses: Bool) throws {
        let server = try SecureFaults.echoServer()
        defer { server.stop() }
        let configuration = try SecureFaults.configuration {
            $0.maxFrameSize = 1 << 20
            $0.webSocketCompressionEnabled = compresses
        }
        let client = try WebSocketClient(server.url("/fragments/\(count)"), configuration: configuration)
        var generator = SeededGenerator(seed: 9)
        for size in [1000, 16_384, 100_000, 1_000_000] {
            let bytes = generator.bytes(size)
            try client.writeBinaryMessage(bytes)
            let isRight = areSame(try client.readBinaryMessage(), bytes)
            #expect(isRight, "\(size)")
        }
        let text = String(repeating: "grüße €", count: 20_000)
        try client.writeTextMessage(text)
        #expect(try client.readTextMessage() == text)
        try client.close()
    }
}
