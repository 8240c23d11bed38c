// swift-tools-version: 6.2
// What Swift 6.0 and 6.1 read is Package@swift-6.0.swift: the same without traits and tests.
import PackageDescription

// Warnings are errors where this is set, as in .ci/run.
let strict: [SwiftSetting] =
    Context.environment["LWS_WARNINGS_ARE_ERRORS"] == nil ? [] : [.treatAllWarnings(as: .error)]

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

let coreMetrics: Target.Dependency = .product(
    name: "CoreMetrics", package: "swift-metrics", condition: .when(traits: ["Metrics"]))
let tracing: Target.Dependency = .product(
    name: "Tracing", package: "swift-distributed-tracing", condition: .when(traits: ["Tracing"]))
let toTestTraits: [Target.Dependency] = [
    coreMetrics, tracing,
    .product(name: "MetricsTestKit", package: "swift-metrics", condition: .when(traits: ["Metrics"])),
    .product(name: "InMemoryTracing", package: "swift-distributed-tracing", condition: .when(traits: ["Tracing"])),
]

let package = Package(
    name: "swift-lws",
    platforms: [.macOS(.v15)],
    products: [
        .library(name: "LWSWebSocket", targets: ["LWSWebSocket"]),
        .library(name: "LWSEchoServer", targets: ["LWSEchoServer"]),
        .executable(name: "lws-echo-server", targets: ["lws-echo-server"]),
        .executable(name: "lwscat", targets: ["lwscat"]),
    ],
    traits: [
        .trait(name: "Metrics", description: "Clients count and measure what they do, for swift-metrics"),
        .trait(name: "Tracing", description: "Each handshake is a span of swift-distributed-tracing"),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.5.0"),
        .package(url: "https://github.com/apple/swift-collections", from: "1.1.0"),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.3.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.11.0"),
        // For the traits alone: where they are off, nobody gets these.
        .package(url: "https://github.com/apple/swift-distributed-tracing", from: "1.7.3"),
        .package(url: "https://github.com/apple/swift-metrics", from: "2.13.0"),
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
                "CLibWebSockets", "COpenSSL", "LWSPayload", "LWSServiceLoop", coreMetrics, tracing,
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
        .target(
            name: "TestSupport",
            dependencies: [
                "CHeap", "COpenSSL", "CZlib", "LWSServiceLoop",
            ],
            path: "Tests/TestSupport",
            swiftSettings: settings
        ),
        .target(
            name: "TestConditions",
            dependencies: ["LWSServiceLoop"],
            path: "Tests/TestConditions",
            swiftSettings: settings
        ),
        .target(name: "CHeap", dependencies: ["COpenSSL"], path: "Tests/CHeap"),
        .executableTarget(
            name: "lws-conformance",
            dependencies: [
                "LWSWebSocket", .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Logging", package: "swift-log"),
            ],
            path: "Tests/Conformance/Client",
            swiftSettings: settings
        ),
        .executableTarget(
            name: "lws-soak",
            dependencies: [
                "LWSWebSocket", "LWSServiceLoop", "TestSupport",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Logging", package: "swift-log"),
            ],
            path: "Tests/Soak/Program",
            swiftSettings: settings
        ),
        .executableTarget(
            name: "lws-process-probe",
            dependencies: ["LWSWebSocket", "LWSServiceLoop"],
            path: "Tests/ProcessProbe",
            swiftSettings: settings
        ),
        .target(
            name: "FuzzCases",
            dependencies: [
                "LWSWebSocket", "LWSEchoServer", "LWSServiceLoop", "TestSupport",
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "Logging", package: "swift-log"),
            ],
            path: "Tests/Fuzzing/Cases",
            swiftSettings: settings
        ),
        .executableTarget(
            name: "lws-fuzz",
            dependencies: [
                "FuzzCases", "TestSupport", .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Logging", package: "swift-log"),
            ],
            path: "Tests/Fuzzing/Command",
            swiftSettings: settings
        ),
        .testTarget(
            name: "LWSWebSocketTests",
            dependencies: [
                "FuzzCases", "LWSEchoServer", "LWSPayload", "LWSServiceLoop", "LWSWebSocket", "TestConditions",
                "TestSupport",
                .product(name: "DequeModule", package: "swift-collections"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "Logging", package: "swift-log"),
            ] + toTestTraits,
            swiftSettings: settings
        ),
        .testTarget(
            name: "LWSEchoServerTests",
            dependencies: [
                "LWSEchoServer", "LWSPayload", "LWSServiceLoop", "LWSWebSocket", "TestConditions", "TestSupport",
                .product(name: "HTTPTypes", package: "swift-http-types"),
            ],
            swiftSettings: settings
        ),
        .testTarget(
            name: "DocumentationTests",
            dependencies: [
                "LWSWebSocket", "LWSEchoServer", "LWSServiceLoop", "TestSupport",
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "Logging", package: "swift-log"),
            ] + toTestTraits,
            swiftSettings: settings
        ),
        .testTarget(
            name: "LWSCatTests",
            dependencies: [
                "LWSCatKit", "LWSEchoServer", "LWSServiceLoop", "LWSWebSocket", "TestConditions", "TestSupport",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            swiftSettings: settings
        ),
        .testTarget(
            name: "TestSupportTests",
            dependencies: ["TestSupport"],
            swiftSettings: settings
        ),
    ]
)

// It replaces functions of libc, in a way that only ELF has.
#if os(Linux)
    package.targets += [
        .target(name: "CFailingCalls", path: "Tests/FailingCalls/Calls"),
        .executableTarget(
            name: "lws-failing-calls",
            dependencies: [
                "CFailingCalls", "COpenSSL", "LWSServiceLoop", "LWSWebSocket",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Logging", package: "swift-log"),
            ],
            path: "Tests/FailingCalls/Program",
            swiftSettings: settings
        ),
    ]
#endif

// libFuzzer has its own main, and is linked by `swift build --sanitize fuzzer` alone.
if Context.environment["LWS_FUZZ_COVERAGE"] != nil {
    package.targets.append(
        .executableTarget(
            name: "lws-fuzz-coverage",
            dependencies: ["FuzzCases", "LWSServiceLoop", "TestSupport"],
            path: "Tests/Fuzzing/Coverage",
            swiftSettings: settings + [.unsafeFlags(["-parse-as-library"])]
        ))
}
