// The tables that lws reads for as long as a vhost exists.

import CLibWebSockets
import LWSPayload

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// The C tables and strings of one vhost. lws keeps pointers to them, and they are freed with this object.
final class EchoTables {
    let protocols: UnsafeMutablePointer<lws_protocols>
    let extensions: UnsafeMutablePointer<lws_extension>
    /// What an offer's parameters are compared with, in the order of ``DeflateOffer/parameters``.
    let deflateOptions: UnsafeMutablePointer<lws_ext_options>
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
        extensions = .allocate(capacity: 2)
        extensions.initialize(repeating: lws_extension(), count: 2)
        deflateOptions = .allocate(capacity: DeflateOffer.parameters.count + 1)
        deflateOptions.initialize(repeating: lws_ext_options(), count: DeflateOffer.parameters.count + 1)
        for (index, name) in names.enumerated() {
            protocols[index].name = keep(name)
            protocols[index].callback = { echoCallback($0, $1, $2, $3, $4) }
            protocols[index].per_session_data_size = MemoryLayout<UnsafeRawPointer?>.size
            protocols[index].rx_buffer_size = Self.readSize
            protocols[index].tx_packet_size = Self.writeSize
        }
        for (index, name) in DeflateOffer.parameters.enumerated() {
            deflateOptions[index] = lws_ext_options(name: keep(name), type: EXTARG_NONE)
        }
        extensions[0].name = keep(CompressionAgreement.extensionName)
        extensions[0].callback = { echoExtensionCallback($2, $3, $5, $6) }
        alpn = keep("http/1.1")
    }

    deinit {
        for string in strings { free(string) }
        protocols.deinitialize(count: protocolCount)
        protocols.deallocate()
        extensions.deinitialize(count: 2)
        extensions.deallocate()
        deflateOptions.deinitialize(count: DeflateOffer.parameters.count + 1)
        deflateOptions.deallocate()
    }

    /// A copy of the string that lives as long as the tables do.
    func keep(_ string: String) -> UnsafePointer<CChar>? {
        guard let copy = strdup(string) else { return nil }
        strings.append(copy)
        return UnsafePointer(copy)
    }
}
