// The relay that interferes, with plain bytes.

import TestSupport
import Testing

@Suite("The relay of faults", .serialized)
struct FaultRelayTests {
    /// A server that sends back what it gets.
    private func echo() throws -> RawServer {
        try RawServer { peer in
            while case let bytes = peer.readSome(atMost: 1000), !bytes.isEmpty { peer.send(bytes) }
        }
    }

    @Test("passes everything on, in pieces of any size, and counts it", arguments: [1, 7, 16384])
    func passes(_ chunk: Int) throws {
        let server = try echo()
        let relay = try FaultRelay(to: server.port, upstream: .init(chunk: chunk), downstream: .init(chunk: chunk))
        let client = try RawClient(port: relay.port)
        let bytes = (0..<1000).map { UInt8(truncatingIfNeeded: $0) }
        client.connection.send(bytes)
        #expect(try client.connection.read(1000) == bytes)
        #expect(eventually { relay.passed.upstream == 1000 })
        #expect(eventually { relay.passed.downstream == 1000 })
        client.connection.endOutput()
        #expect(client.connection.readUntilEnd().isEmpty)
        #expect(relay.faults == 0)
    }

    @Test("resets or ends a connection after exactly its number of bytes", arguments: [FaultRelay.Fault.reset, .end])
    func limit(_ fault: FaultRelay.Fault) throws {
        let server = try echo()
        for limit in [0, 1, 10] {
            let relay = try FaultRelay(to: server.port, downstream: .init(limit: limit), fault: fault)
            let client = try RawClient(port: relay.port)
            client.connection.send([UInt8](repeating: 1, count: 10))
            var count = 0
            var ending = RawClient.ReadResult.bytes([])
            while case .bytes(let bytes) = ending {
                count += bytes.count
                ending = client.readResult()
            }
            #expect(count <= limit)
            #expect(fault == .reset || (count == limit && ending == .ended))
            #expect(relay.faults == 1)
            relay.stop()
        }
    }

    @Test("falls silent when it is told to, and leaves both sides connected")
    func silence() throws {
        let server = try echo()
        let relay = try FaultRelay(to: server.port)
        let client = try RawClient(port: relay.port)
        client.connection.send([1])
        #expect(try client.connection.read(1) == [1])
        relay.fallSilent()
        client.connection.send([2])
        #expect(client.connection.isQuiet(for: .milliseconds(100)))
        relay.stop()
        server.stop()
    }
}
