// swift-tools-version: 6.0
// For Swift 6.0 and 6.1: what users build. The rest is in Package.swift, which says the same of these targets (make lint).
import PackageDescription

// Warnings are errors where a variable of this package's own is set, as in .ci/run. It is not CI, which those who depend on it
// set: SwiftPM refuses unsafe flags in a dependency. The setting that is no such flag wants the tools of Swift 6.2.
let strict: [SwiftSetting] =
    Context.environment["LWS_WARNINGS_ARE_ERRORS"] == nil ? [] : [.unsafeFlags(["-warnings-as-errors"])]

let settings: [SwiftSetting] =
    strict + [
        .enableUpcomingFeature("ExistentialAny"),
        .enableUpcomingFeature("InternalImportsByDefault"),
        .enableUpcomingFeature("MemberImportVisibility"),
    ]

#if os(macOS)
    let openSSLPackage: String? = "openssl"
#else
    let openSSLPackage: String? = nil
#endif

let package = Package(
    name: "swift-lws",
    platforms: [.macOS(.v15)],
    products: [
        .library(name: "LWSWebSocket", targets: ["LWSWebSocket"]),
        .library(name: "LWSEchoServer", targets: ["LWSEchoServer"]),
        .executable(name: "lws-echo-server", targets: ["lws-echo-server"]),
        .executable(name: "lwscat", targets: ["lwscat"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.5.0"),
        .package(url: "https://github.com/apple/swift-collections", from: "1.1.0"),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.3.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.11.0"),
        // For `lwscat bench` alone: who depends on the libraries does not get it.
        .package(url: "https://github.com/HdrHistogram/hdrhistogram-swift", from: "0.2.0"),
    ],
    targets: [
        .systemLibrary(
            name: "CLibWebSockets",
            path: "Modules/CLibWebSockets",
            pkgConfig: "libwebsockets",
            providers: [.apt(["libwebsockets-dev", "libssl-dev"]), .brew(["libwebsockets"])]
        ),
        .systemLibrary(
            name: "COpenSSL",
            // Where it is not the system's. On Linux its "-L" would come before that of a newer libwebsockets.
            path: "Modules/COpenSSL",
            pkgConfig: openSSLPackage,
            providers: [.apt(["libssl-dev"]), .brew(["openssl"])]
        ),
        .systemLibrary(
            name: "CZlib",
            // No pkg-config: its "-L" for the system's folder would come before that of a newer libwebsockets.
            path: "Modules/CZlib",
            providers: [.apt(["zlib1g-dev"]), .brew(["zlib"])]
        ),
        .target(
            name: "LWSServiceLoop",
            dependencies: ["CLibWebSockets", .product(name: "Logging", package: "swift-log")],
            swiftSettings: settings
        ),
        .target(name: "LWSPayload", dependencies: ["CZlib"], swiftSettings: settings),
        .target(
            name: "LWSWebSocket",
            dependencies: [
                "CLibWebSockets", "COpenSSL", "LWSPayload", "LWSServiceLoop",
                .product(name: "DequeModule", package: "swift-collections"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "OrderedCollections", package: "swift-collections"),
            ],
            swiftSettings: settings
        ),
        .target(
            name: "LWSEchoServer",
            dependencies: ["CLibWebSockets", "LWSPayload", "LWSServiceLoop"],
            swiftSettings: settings
        ),
        .target(
            name: "LWSEchoServerOptions",
            dependencies: [
                "LWSEchoServer", .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            swiftSettings: settings
        ),
        .executableTarget(
            name: "lws-echo-server",
            dependencies: [
                "LWSEchoServer", "LWSEchoServerOptions", "LWSServiceLoop",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            swiftSettings: settings
        ),
        // Not LWSCat: on a file system that does not tell cases apart that would be the program's folder.
        .target(
            name: "LWSCatKit",
            dependencies: [
                "LWSEchoServer", "LWSEchoServerOptions", "LWSServiceLoop", "LWSWebSocket",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Histogram", package: "hdrhistogram-swift"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: settings
        ),
        .executableTarget(name: "lwscat", dependencies: ["LWSCatKit"], swiftSettings: settings),
        .executableTarget(
            name: "lws-demo",
            dependencies: [
                "LWSWebSocket", "LWSEchoServer",
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: settings
        ),
    ]
)
