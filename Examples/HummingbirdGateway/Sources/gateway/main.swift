// The command: serves for one upstream, or checks itself.

import Foundation
import Hummingbird

let arguments = Array(CommandLine.arguments.dropFirst())
switch arguments.first {
case "check": try await Check.run()
case .some(let url):
    let upstream = Upstream(url, threads: 16)
    let gateway = Application(
        router: Gateway.router(["upstream": upstream]),
        configuration: .init(
            address: .hostname("127.0.0.1", port: arguments.dropFirst().first.flatMap { Int($0) } ?? 0)))
    try await gateway.runService()
    try await upstream.shutDown()
case nil: print("usage: gateway URL [PORT] | gateway check")
}
