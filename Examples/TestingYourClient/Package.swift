// swift-tools-version: 6.2
// A package that tests its own client code against the echo server.
import PackageDescription

let package = Package(
    name: "TestingYourClient",
    platforms: [.macOS(.v15)],
    products: [.library(name: "QuotePublisher", targets: ["QuotePublisher"])],
    dependencies: [
        .package(name: "swift-lws", path: "../.."),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.3.0"),
    ],
    targets: [
        .target(
            name: "QuotePublisher",
            dependencies: [
                .product(name: "LWSWebSocket", package: "swift-lws"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
            ]),
        // The server comes with the tests alone.
        .testTarget(
            name: "QuotePublisherTests",
            dependencies: ["QuotePublisher", .product(name: "LWSEchoServer", package: "swift-lws")]),
    ]
)
