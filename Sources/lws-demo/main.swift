import LWSWebSocket
import Foundation
func t<T>(_ name: String, _ f: () throws -> T) { let s = ContinuousClock.now; do { let r = try f(); print(name, "->", "\(r)".prefix(200), ContinuousClock.now - s) } catch { print(name, "!!", error, (error as? WebSocketError)?.code as Any, ContinuousClock.now - s) } }
let url = CommandLine.arguments[1]
do {
  var c = ClientConfiguration(); c.readTimeout = .milliseconds(300); c.maxFrameSize = 1<<20
  try c.addHeader("X-Test", "yes")
  let client = try WebSocketClient(url, configuration: c)
  print(client.httpResponse as Any, client.isOpen)
  t("text") { try client.writeTextMessage("hello ü"); return try client.readTextMessage() }
  t("bin") { try client.writeBinaryMessage([1,2,3]); return try client.readBinaryMessage() }
  t("kind") { try client.writeBinaryMessage([1,2,3]); return try client.readTextMessage() }
  t("kind2") { return try client.readMessage() }
  t("big") { let b = [UInt8](repeating: 7, count: 1_000_000); try client.writeBinaryMessage(b); return try client.readBinaryMessage() == b }
  t("timeout") { try client.readTextMessage() }
  t("ping") { try client.ping([1,2]) }
  t("pings") { for i in 0..<10000 { try client.writeTextMessage("\(i)"); let r = try client.readTextMessage(); if r != "\(i)" { print("bad", r) } } }
  t("close") { try client.close(statusCode: 1000, reason: "done") }
  t("after") { try client.readTextMessage() }
  t("closeme") { let k = try WebSocketClient(url); try k.writeTextMessage("closeme"); return try k.readTextMessage() }
  t("refused") { try WebSocketClient("ws://localhost:1/") }
  t("unknown") { try WebSocketClient("ws://nosuch.invalid:1/") }
  t("longpath") { let k = try WebSocketClient(url + "/?" + String(repeating: "x", count: 5000)); try k.writeTextMessage("a"); return try k.readTextMessage() }
  do { _ = try WebSocketClient(url) }
  Thread.sleep(forTimeInterval: 0.2)
} catch { print("failed", error, error.code) }
