// A question and its answer with SwiftNIO alone.

// sample: nio-before
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOWebSocket

func askWithNIO(host: String, port: Int, path: String, _ question: String) async throws -> String {
    typealias Frames = NIOAsyncChannel<WebSocketFrame, WebSocketFrame>
    let upgrade = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
        .connect(host: host, port: port) { channel in
            channel.eventLoop.makeCompletedFuture {
                let upgrader = NIOTypedWebSocketClientUpgrader<Frames> { channel, _ in
                    channel.eventLoop.makeCompletedFuture { try Frames(wrappingChannelSynchronously: channel) }
                }
                let request = HTTPRequestHead(
                    version: .http1_1, method: .GET, uri: path,
                    headers: ["Host": "\(host):\(port)", "Content-Length": "0"])
                return try channel.pipeline.syncOperations.configureUpgradableHTTPClientPipeline(
                    configuration: .init(
                        upgradeConfiguration: NIOTypedHTTPClientUpgradeConfiguration(
                            upgradeRequestHead: request, upgraders: [upgrader],
                            notUpgradingCompletionHandler: { $0.eventLoop.makeFailedFuture(AskError.refused) })))
            }
        }
    let channel = try await upgrade.get()
    return try await channel.executeThenClose { inbound, outbound in
        try await outbound.write(
            WebSocketFrame(fin: true, opcode: .text, maskKey: .random(), data: ByteBuffer(string: question)))
        // Pings, fragments and the close handshake are left out here.
        for try await frame in inbound where frame.opcode == .text {
            return String(buffer: frame.unmaskedData)
        }
        throw AskError.closed
    }
}

enum AskError: Error { case refused, closed }
// sample end
