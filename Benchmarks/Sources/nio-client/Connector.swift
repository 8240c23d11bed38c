// Making connections: TCP, TLS, and the upgrade.

import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL
import NIOWebSocket

struct Connector {
    let loop: any EventLoop
    private let options: Options
    private let tls: NIOSSLContext?
    private static let maxFrameSize = 2 << 20

    init(_ options: Options, _ group: MultiThreadedEventLoopGroup) throws {
        self.options = options
        loop = group.next()
        guard options.tls else {
            tls = nil
            return
        }
        var configuration = TLSConfiguration.makeClientConfiguration()
        if let ca = options.ca { configuration.trustRoots = .file(ca) }
        tls = try NIOSSLContext(configuration: configuration)
    }

    /// Blocks until the connection is open. `handler` is called on the loop.
    func connect(_ handler: @escaping @Sendable () -> any ChannelInboundHandler) throws -> any Channel {
        let opened = loop.makePromise(of: (any Channel).self)
        ClientBootstrap(group: loop)
            .channelOption(.socketOption(.tcp_nodelay), value: 1)
            .channelInitializer { [options, tls] channel in
                channel.eventLoop.makeCompletedFuture {
                    if let tls {
                        // The host is an address: of that the certificate is checked as well.
                        try channel.pipeline.syncOperations.addHandler(
                            NIOSSLClientHandler(context: tls, serverHostname: nil))
                    }
                    try Self.upgrade(channel, options, handler).cascade(to: opened)
                }
            }
            .connect(host: options.host, port: options.port)
            .cascadeFailure(to: opened)
        return try opened.futureResult.wait()
    }

    private static func upgrade(
        _ channel: any Channel, _ options: Options, _ handler: @escaping @Sendable () -> any ChannelInboundHandler
    ) throws -> EventLoopFuture<any Channel> {
        let upgrader = NIOTypedWebSocketClientUpgrader<any Channel>(maxFrameSize: maxFrameSize) { channel, _ in
            channel.eventLoop.makeCompletedFuture {
                try channel.pipeline.syncOperations.addHandler(handler())
                return channel
            }
        }
        let head = HTTPRequestHead(
            version: .http1_1, method: .GET, uri: options.path,
            headers: ["Host": "\(options.host):\(options.port)", "Content-Length": "0"])
        let configuration = NIOTypedHTTPClientUpgradeConfiguration<any Channel>(
            upgradeRequestHead: head, upgraders: [upgrader],
            notUpgradingCompletionHandler: { channel in
                channel.eventLoop.makeFailedFuture(ChannelError.badInterfaceAddressFamily)
            })
        return try channel.pipeline.syncOperations.configureUpgradableHTTPClientPipeline(
            configuration: .init(upgradeConfiguration: configuration))
    }
}
