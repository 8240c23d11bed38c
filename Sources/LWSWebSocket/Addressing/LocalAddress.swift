// Where a client connects from, as it is configured.

enum LocalAddress {
    /// Addresses and names of interfaces: no longer than an IPv6 address with a zone, printable, without a slash.
    static func validate(_ text: String) throws(WebSocketError) {
        let isPlausible = text.utf8.allSatisfy { (0x21...0x7e).contains($0) && $0 != UInt8(ascii: "/") }
        guard !text.isEmpty, isPlausible, text.utf8.count <= 64 else {
            throw WebSocketError(
                .invalidArgument,
                "localAddress: \(text.debugDescription) is not an address or the name of an interface")
        }
    }
}
