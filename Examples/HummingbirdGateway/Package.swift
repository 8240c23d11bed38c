// swift-tools-version: 6.2
// A Hummingbird server whose handlers ask an upstream WebSocket, and the same client with and without SwiftNIO.
import PackageDescription

let package = Package(
    name: "HummingbirdGateway",
    platforms: [.macOS(.v15)],
    dependencies: [
        .package(name: "swift-lws", path: "../.."),
        .package(url: "https://github.com/apple/swift-log", from: "1.6.0"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.80.0"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.0.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.0.0"),
    ],
    targets: [
        .executableTarget(
            name: "gateway",
            dependencies: [
                .product(name: "LWSWebSocket", package: "swift-lws"),
                .product(name: "LWSEchoServer", package: "swift-lws"),
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOConcurrencyHelpers", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ]),
        .executableTarget(
            name: "nio-before-and-after",
            dependencies: [
                .product(name: "LWSWebSocket", package: "swift-lws"),
                .product(name: "LWSEchoServer", package: "swift-lws"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOWebSocket", package: "swift-nio"),
            ]),
    ]
)
