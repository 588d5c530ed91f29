// swift-tools-version: 6.2
import PackageDescription

let settings: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .treatAllWarnings(as: .error),
    .treatWarning("DeprecatedDeclaration", as: .warning),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
]

// Products of other packages, under the names that our targets use.
let log = Target.Dependency.product(name: "Logging", package: "swift-log")
let metrics = Target.Dependency.product(name: "Metrics", package: "swift-metrics")
let coreMetrics = Target.Dependency.product(name: "CoreMetrics", package: "swift-metrics")
let crypto = Target.Dependency.product(name: "Crypto", package: "swift-crypto")
let nioCore = Target.Dependency.product(name: "NIOCore", package: "swift-nio")
let nioEmbedded = Target.Dependency.product(name: "NIOEmbedded", package: "swift-nio")
let nioPosix = Target.Dependency.product(name: "NIOPosix", package: "swift-nio")
let nioHTTP1 = Target.Dependency.product(name: "NIOHTTP1", package: "swift-nio")
let nioWebSocket = Target.Dependency.product(name: "NIOWebSocket", package: "swift-nio")
let nioSSL = Target.Dependency.product(name: "NIOSSL", package: "swift-nio-ssl")
let httpClient = Target.Dependency.product(name: "AsyncHTTPClient", package: "async-http-client")
let lifecycle = Target.Dependency.product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
let signals = Target.Dependency.product(name: "UnixSignals", package: "swift-service-lifecycle")
let deque = Target.Dependency.product(name: "DequeModule", package: "swift-collections")
let ordered = Target.Dependency.product(name: "OrderedCollections", package: "swift-collections")
let yams = Target.Dependency.product(name: "Yams", package: "Yams")
let arguments = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")
let subprocess = Target.Dependency.product(name: "Subprocess", package: "swift-subprocess")

func module(_ name: String, _ dependencies: [Target.Dependency], resources: [Resource]? = nil) -> Target {
    .target(name: name, dependencies: dependencies, resources: resources, swiftSettings: settings)
}

func tests(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .testTarget(name: name, dependencies: dependencies, swiftSettings: settings)
}

let package = Package(
    name: "weir",
    platforms: [.macOS(.v15)],
    products: [.executable(name: "weir", targets: ["weir"])],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-metrics", from: "2.13.0"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
        .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
        .package(url: "https://github.com/swiftlang/swift-subprocess", from: "1.0.2", traits: []),
    ],
    targets: [
        .systemLibrary(name: "CHiredis"),
        .systemLibrary(name: "CLibpq"),
        .systemLibrary(name: "CMalloc"),
        .systemLibrary(name: "CSecp256k1"),
        .target(name: "CSHA256"),
        // Listed in the order of imports: a target may depend on those above it only (DESIGN, `ops/lint`).
        module("Events", []),
        module("Flow", ["Events", deque]),
        module("ATProto", ["Events", "CSecp256k1", "CSHA256", crypto]),
        module("RedisClient", ["CHiredis", log, nioCore, nioPosix, nioSSL, deque]),
        module("PostgresClient", ["CLibpq", log, lifecycle, deque, ordered]),
        module("Broker", ["Events", "RedisClient", nioCore]),
        module("Ledger", ["Events", "Flow", "PostgresClient"], resources: [.embedInCode("SQL")]),
        module("Hosts", ["Events", "ATProto", nioCore, nioPosix, nioHTTP1, nioSSL, httpClient]),
        module(
            "Ingest",
            [
                "Events", "Flow", "ATProto", "Broker", "Ledger", "Hosts", log, metrics, lifecycle, nioCore, nioPosix, nioHTTP1, nioWebSocket,
                nioSSL,
            ]),
        module(
            "Work",
            ["Events", "Flow", "ATProto", "Broker", "Ledger", "Hosts", log, metrics, coreMetrics, lifecycle, nioCore]),
        module(
            "Outbox",
            [
                "Events", "Flow", "RedisClient", "PostgresClient", "Broker", "Ledger", "Hosts", log, metrics, lifecycle, crypto, nioPosix,
            ], resources: [.embedInCode("SQL"), .embedInCode("Lua")]),
        module(
            "Serve",
            [
                "Events", "Flow", "ATProto", "Broker", "Ledger", log, metrics, coreMetrics, lifecycle, deque, nioCore, nioPosix, nioHTTP1,
                nioWebSocket,
            ], resources: [.embedInCode("OpenAPI")]),
        module("Simulator", ["Events", "ATProto", log, lifecycle, deque, nioCore, nioPosix, nioHTTP1, nioWebSocket]),
        module(
            "Fleet",
            [
                "CMalloc", "Events", "Flow", "ATProto", "RedisClient", "PostgresClient", "Broker", "Ledger", "Hosts", "Ingest", "Work", "Outbox",
                "Serve",
                "Simulator", log, metrics, lifecycle, signals, nioCore, nioHTTP1, httpClient, yams, subprocess,
            ]),
        .executableTarget(
            name: "weir",
            dependencies: [
                "Fleet", "Events", "RedisClient", "Broker", "PostgresClient", "Ledger", "ATProto", "Work", "Outbox", "Serve", "Simulator", arguments,
                log,
                crypto, signals, subprocess, lifecycle, nioCore, nioHTTP1, nioPosix,
            ],
            swiftSettings: settings),

        // Servers and helpers for tests: private Redis and Postgres processes, prefixes, schemas, faulty peers.
        .target(
            name: "TestSupport",
            dependencies: ["Events", "RedisClient", "PostgresClient", "Broker", "Ledger", log, nioCore, nioHTTP1, nioPosix, nioSSL],
            path: "Tests/TestSupport", swiftSettings: settings),
        tests("EventsTests", ["Events", "TestSupport"]),
        tests("FlowTests", ["Flow", "Events", "TestSupport"]),
        tests("ATProtoTests", ["ATProto", "Events", "TestSupport"]),
        tests("RedisClientTests", ["RedisClient", "TestSupport", nioCore, nioSSL]),
        tests("PostgresClientTests", ["PostgresClient", "TestSupport", log]),
        tests("BrokerTests", ["Broker", "Events", "RedisClient", "TestSupport", nioCore]),
        tests("LedgerTests", ["Ledger", "Events", "PostgresClient", "TestSupport", log]),
        tests("HostsTests", ["Hosts", "ATProto", "Events", "TestSupport", nioCore, nioPosix, nioSSL]),
        tests(
            "IngestTests",
            [
                "Ingest", "ATProto", "Broker", "Events", "Flow", "Ledger", "PostgresClient", "RedisClient", "Work", "TestSupport", log, lifecycle,
                nioCore,
                nioHTTP1, nioPosix, nioSSL, nioWebSocket,
            ]),
        tests(
            "WorkTests",
            [
                "Work", "ATProto", "Broker", "Events", "Flow", "Hosts", "Ledger", "PostgresClient", "RedisClient", "TestSupport", log, lifecycle,
                nioCore,
            ]),
        tests(
            "OutboxTests",
            [
                "Outbox", "ATProto", "Broker", "Events", "Flow", "Hosts", "Ledger", "PostgresClient", "RedisClient", "TestSupport", log, metrics,
                crypto,
                lifecycle, nioCore, nioHTTP1, nioPosix,
            ]),
        tests(
            "ServeTests",
            [
                "Serve", "ATProto", "Broker", "Events", "Flow", "Ledger", "PostgresClient", "RedisClient", "TestSupport", log, metrics, lifecycle,
                nioCore, nioEmbedded, nioHTTP1, nioPosix, nioWebSocket, httpClient,
            ]),
        tests("SimulatorTests", ["Simulator", "ATProto", "Events", log, nioCore, nioHTTP1, nioPosix, httpClient]),
        tests(
            "FleetTests",
            ["Fleet", "Broker", "Events", "Flow", "Ledger", "Outbox", "PostgresClient", "Serve", "Simulator", "TestSupport", log, subprocess]),
        tests("WeirTests", ["weir", "Events", "Fleet", "Ledger", "Serve", "TestSupport", arguments, lifecycle]),
        tests("Scenarios", ["Simulator", "Events", "PostgresClient", "RedisClient", "TestSupport", log, lifecycle, nioCore, nioHTTP1, httpClient]),
    ]
)
