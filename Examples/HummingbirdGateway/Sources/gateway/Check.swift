// A run to an end: the gateway between its own HTTP requests and two upstream servers.

import Foundation
import Hummingbird
import LWSEchoServer
import Logging
import ServiceLifecycle

#if canImport(FoundationNetworking)
    import FoundationNetworking
#endif

struct Check {
    private let port: Int
    private let silent: EchoServer

    /// Starts everything, asks, and stops it.
    static func run() async throws {
        let (echo, silent) = (try EchoServer(), try EchoServer())
        let upstreams = [
            "echo": Upstream(echo.url(), threads: 4), "silent": Upstream(silent.url("/silent"), threads: 4),
        ]
        let (ports, told) = AsyncStream.makeStream(of: Int.self)
        var logger = Logger(label: "gateway")
        logger.logLevel = .error
        let gateway = Application(
            router: Gateway.router(upstreams), configuration: .init(address: .hostname("127.0.0.1", port: 0)),
            onServerRunning: { told.yield($0.localAddress?.port ?? 0) }, logger: logger)
        let service = ServiceGroup(configuration: .init(services: [gateway], logger: logger))
        async let running: Void = service.run()
        for await port in ports {
            try await Check(port: port, silent: silent).questions()
            break
        }
        await service.triggerGracefulShutdown()
        try await running
        for upstream in upstreams.values { try await upstream.shutDown() }
        echo.stop()
        silent.stop()
        print("stopped")
    }

    private func questions() async throws {
        let answers = try await withThrowingTaskGroup(of: Bool.self) { group in
            for number in 0..<40 {
                group.addTask { try await get("ask/echo/\(number)") == (200, String(number)) }
            }
            return try await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
        }
        print("\(answers) of 40 questions were answered")

        let waiting = Task {
            try await withThrowingTaskGroup(of: Int.self) { group in
                for number in 0..<4 {
                    group.addTask { try await get("ask/silent/\(number)").status }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
        }
        // Nobody announces that a question has reached its server.
        while silent.connectionCount < 4 { try await Task.sleep(for: .milliseconds(5)) }
        let health = try await get("health")
        print("while 4 questions wait for a silent server, health is: \(health.status) \(health.text)")
        print("what became of the 4: \(try await waiting.value)")
    }

    private func get(_ path: String) async throws -> (status: Int, text: String) {
        guard let url = URL(string: "http://127.0.0.1:\(port)/\(path)") else { throw URLError(.badURL) }
        let (data, response) = try await URLSession.shared.data(from: url)
        return ((response as? HTTPURLResponse)?.statusCode ?? 0, String(decoding: data, as: UTF8.self))
    }
}
