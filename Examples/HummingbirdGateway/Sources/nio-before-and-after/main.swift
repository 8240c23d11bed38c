// Both ask the bundled server the same.

import LWSEchoServer

let server = try EchoServer()
let question = "who is there?"
print("SwiftNIO:  ", try await askWithNIO(host: "127.0.0.1", port: server.port, path: "/echo", question))
// A program of one task may block its thread; a server's handler may not: see the gateway.
print("swift-lws: ", try ask(server.url(), question))
server.stop()
