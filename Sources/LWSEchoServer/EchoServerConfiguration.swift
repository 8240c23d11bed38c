// What an echo server listens on and what it agrees to.

extension EchoServer {
    /// What an echo server listens on and what it agrees to in a handshake.
    public struct Configuration: Sendable {
        /// The numeric address to listen on: `127.0.0.1`, `::1`, `0.0.0.0` and `::` are typical.
        public var host: String
        /// The TCP port; 0 takes any free one, which ``EchoServer/port`` then tells.
        public var port: Int
        /// The certificate to show, and what else TLS is to be like; `nil` listens without TLS.
        public var tls: TLS?
        /// The sub-protocols that are accepted. Of those that a client lists, the first that stands here is chosen:
        /// the client's order decides, because libwebsockets goes through the client's list. A client that lists
        /// none is connected without one; a client that lists only others is refused with status 400.
        public var subProtocols: [String]
        /// Whether permessage-deflate (RFC 7692) is agreed to when the client offers it.
        public var isCompressionEnabled: Bool

        /// 127.0.0.1, any free port, no TLS, no sub-protocols, compression allowed.
        public init() {
            self.init(host: "127.0.0.1")
        }

        /// A configuration with some of its values set.
        public init(
            host: String = "127.0.0.1", port: Int = 0, tls: TLS? = nil, subProtocols: [String] = [],
            isCompressionEnabled: Bool = true
        ) {
            self.host = host
            self.port = port
            self.tls = tls
            self.subProtocols = subProtocols
            self.isCompressionEnabled = isCompressionEnabled
        }
    }
}
