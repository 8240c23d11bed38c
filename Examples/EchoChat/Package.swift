// swift-tools-version: 6.2
// A chat in a terminal, whose members talk by way of the echo server.
import PackageDescription

let package = Package(
    name: "EchoChat",
    platforms: [.macOS(.v15)],
    dependencies: [.package(name: "swift-lws", path: "../..")],
    targets: [
        .executableTarget(
            name: "echo-chat",
            dependencies: [
                .product(name: "LWSWebSocket", package: "swift-lws"),
                .product(name: "LWSEchoServer", package: "swift-lws"),
            ])
    ]
)
