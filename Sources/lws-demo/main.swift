// lws-demo/: the demo.
//
// Holds: client and server talking to each other, for `make demo`.

import Foundation
import HTTPTypes
import LWSEchoServer
import LWSWebSocket
import Logging

// The refusal below is meant; libwebsockets would warn of it.
LibwebsocketsLog.setLevel(.error)

do {
    let server = try EchoServer()
    show("server", "listening on \(server.url())")
    try converse(with: server.url())
    try beRefused(by: server.url("/refuse/403"))
    try beClosed(by: server.url("/close/4000/enough"))
    server.stop()
    show("server", "stopped")
    try converseSecurely()
} catch {
    print("The demo failed: \(error)")
    exit(1)
}

/// Text, binary, a ping and a close.
func converse(with url: String, _ configuration: ClientConfiguration = ClientConfiguration()) throws {
    let client = try WebSocketClient(url, configuration: configuration)
    show("client", "connected to \(url): \(client.httpResponse.map { "\($0.status)" } ?? "no answer")")
    if let tls = client.tlsInfo { show("  TLS", "\(tls.version), \(tls.cipherSuite)") }

    try client.writeTextMessage("Hello, WebSocket!")
    show("  text  ->", "Hello, WebSocket!")
    show("  text  <-", try client.readTextMessage())

    try client.writeBinaryMessage([0xca, 0xfe, 0x00, 0x01])
    show("  bytes ->", "ca fe 00 01")
    show("  bytes <-", try client.readBinaryMessage().map { hex($0) }.joined(separator: " "))

    let long = String(repeating: "0123456789", count: 20_000)
    let start = ContinuousClock.now
    try client.writeTextMessage(long)
    let echo = try client.readTextMessage()
    let time = (ContinuousClock.now - start).formatted(
        .units(allowed: [.milliseconds], fractionalPart: .show(length: 1)))
    show("  text  ->", "\(long.utf8.count) bytes in frames of 65536")
    show("  text  <-", "\(echo.utf8.count) bytes, \(echo == long ? "the same" : "NOT the same"), after \(time)")

    try client.ping(Array("are you there?".utf8))
    show("  ping  ->", "are you there?")

    try client.close(reason: "done")
    show("  close ->", "1000 done")
    do {
        _ = try client.readMessage()
    } catch {
        show("  close <-", "\(error)")
    }
}

/// A server that does not want the connection.
func beRefused(by url: String, _ configuration: ClientConfiguration = ClientConfiguration()) throws {
    do {
        _ = try WebSocketClient(url, configuration: configuration)
    } catch {
        show("client", "\(url)")
        show("  error", "\(error.code): \(error)")
    }
}

/// A server that ends it.
func beClosed(by url: String) throws {
    let client = try WebSocketClient(url)
    do {
        _ = try client.readMessage()
    } catch {
        show("client", "\(url)")
        show("  error", "\(error.code): \(error)")
    }
}

func show(_ who: String, _ what: String) {
    print(who.padding(toLength: 12, withPad: " ", startingAt: 0) + what)
}

func hex(_ byte: UInt8) -> String {
    (byte < 16 ? "0" : "") + String(byte, radix: 16)
}
