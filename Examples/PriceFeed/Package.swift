// swift-tools-version: 6.2
// A reader of a price feed that survives crashes and restarts of its server.
import PackageDescription

let package = Package(
    name: "PriceFeed",
    platforms: [.macOS(.v15)],
    dependencies: [
        .package(name: "swift-lws", path: "../.."),
        .package(url: "https://github.com/apple/swift-log", from: "1.6.0"),
    ],
    targets: [
        .executableTarget(
            name: "price-feed",
            dependencies: [
                .product(name: "LWSWebSocket", package: "swift-lws"),
                .product(name: "LWSEchoServer", package: "swift-lws"),
                .product(name: "Logging", package: "swift-log"),
            ])
    ]
)
