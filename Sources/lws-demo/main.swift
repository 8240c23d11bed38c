import LWSWebSocket
do {
    var k = ClientConfiguration(); k.handShakeTimeout = .seconds(2);
    let c = try WebSocketClient(CommandLine.arguments[1], configuration: k); print(try c.readTextMessage())
} catch { print("failed", error) }
