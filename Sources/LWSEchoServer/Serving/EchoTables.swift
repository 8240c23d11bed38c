// The tables that lws reads for as long as a vhost exists.

import CLibWebSockets
import LWSPayload
import LWSServiceLoop

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// The C tables and strings of one vhost. lws keeps pointers to them, and they are freed with this object.
final class EchoTables {
    let protocols: UnsafeMutablePointer<lws_protocols>
    let deflate: ExtensionTable
    private(set) var alpn: UnsafePointer<CChar>?
    private let protocolCount: Int
    private var strings: [UnsafeMutablePointer<CChar>] = []

    /// Bytes that lws reads from a socket at once.
    private static let readSize = 32768
    /// Bytes that lws writes to a socket at once.
    private static let writeSize = 65536

    init(subProtocols: [String]) {
        // The first is the one without a name, for clients that list no sub-protocol: lws takes the vhost's first
        // protocol for them, and names none in its answer where the name is empty (roles/ws/server-ws.c:
        // lws_process_ws_upgrade, handshake_0405). An entry of zeros ends the table.
        let names = [""] + subProtocols
        protocolCount = names.count + 1
        protocols = .allocate(capacity: protocolCount)
        protocols.initialize(repeating: lws_protocols(), count: protocolCount)
        // lws writes the name alone into its answer: what follows is ours (`DeflateOffer.completeAnswer`).
        deflate = ExtensionTable(CompressionAgreement.extensionName, parameters: [])
        deflate.list[0].callback = { echoExtensionCallback($2, $3, $5, $6) }
        for (index, name) in names.enumerated() {
            protocols[index].name = keep(name)
            protocols[index].callback = { echoCallback($0, $1, $2, $3, $4) }
            protocols[index].per_session_data_size = MemoryLayout<UnsafeRawPointer?>.size
            protocols[index].rx_buffer_size = Self.readSize
            protocols[index].tx_packet_size = Self.writeSize
        }
        alpn = keep("http/1.1")
    }

    deinit {
        for string in strings { free(string) }
        protocols.deinitialize(count: protocolCount)
        protocols.deallocate()
    }

    /// A copy of the string that lives as long as the tables do.
    func keep(_ string: String) -> UnsafePointer<CChar>? {
        guard let copy = strdup(string) else { return nil }
        strings.append(copy)
        return UnsafePointer(copy)
    }
}
