// What is told with -v.

import HTTPTypes
import LWSWebSocket

/// Never what this side sends with the handshake, which has its credentials.
enum SessionNotes {
    /// Has pongs and attempts to connect told.
    static func follow(_ configuration: inout ClientConfiguration, _ output: any Output) {
        configuration.pingPongHandler = PongNotes(output: output)
        configuration.retryConfig?.onRetry = { event in
            output.note("\(event.error); attempt \(event.attempt + 1) to connect again in \(seconds(event.wait))")
        }
    }

    /// The server's answer, and what was agreed to.
    static func opened(_ client: WebSocketClient, _ output: any Output) {
        if let tls = client.tlsInfo { output.note("\(tls.version), \(tls.cipherSuite)") }
        if let response = client.httpResponse { tell(response, output) }
        output.note("connected" + (client.negotiatedSubProtocol.map { " with the sub-protocol \($0)" } ?? ""))
    }

    /// The answer of a server that refuses.
    static func refusal(_ error: WebSocketError, _ output: any Output) {
        guard let response = error.httpResponse else { return }
        tell(response, output)
        if let body = error.httpResponseBody { output.note(String(decoding: body, as: UTF8.self)) }
    }

    /// How the connection has ended.
    static func closed(_ client: WebSocketClient, _ output: any Output) {
        // What nobody has read comes first; there is an end to it, for the connection has ended.
        while true {
            do throws(WebSocketError) { _ = try client.readMessage() } catch { return output.note("\(error)") }
        }
    }

    private static func tell(_ response: HTTPResponse, _ output: any Output) {
        output.note("HTTP \(response.status.code)")
        for field in response.headerFields { output.note("\(field.name): \(shown(field))") }
    }

    /// A session's cookie is as good as a password.
    private static func shown(_ field: HTTPField) -> String {
        let secret: Set<HTTPField.Name> = [.setCookie, .authorization, .proxyAuthorization, .cookie]
        return secret.contains(field.name) ? "(not shown)" : field.value
    }

    /// A time in seconds, without a zero behind the point.
    static func seconds(_ duration: Duration) -> String {
        let seconds = duration / .seconds(1)
        return seconds == seconds.rounded() ? "\(Int(seconds)) s" : "\(seconds) s"
    }
}

/// Tells pongs, each with its payload.
private struct PongNotes: PingPongHandler {
    let output: any Output

    func onPong(_ payload: [UInt8]) {
        let text = String(validating: payload, as: UTF8.self) ?? MessageRenderer.dump(payload, .plain)
        output.note("pong" + (text.isEmpty ? "" : ": \(text)"))
    }
}
