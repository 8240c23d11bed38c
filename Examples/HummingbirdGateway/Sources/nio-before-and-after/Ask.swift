// The same with this library.

// sample: nio-after
import LWSWebSocket

func ask(_ url: String, _ question: String) throws(WebSocketError) -> String {
    let client = try WebSocketClient(url)
    try client.writeTextMessage(question)
    let answer = try client.readTextMessage()
    try client.close()
    return answer
}
// sample end
