// The handshake as a span of the application's traces: the trait Tracing.

internal import HTTPTypes
internal import LWSServiceLoop

#if Tracing
    internal import Tracing
#endif

/// One request for the upgrade, from the look-up to the answer, as a span of the tracer that its caller has. Without the trait there
/// is none.
///
/// The steps are told of by the caller and by the loop, the end by the caller alone, once; a step that comes after it is not told.
final class HandshakeTrace: Sendable {
    /// What tells the server of the span. It is the tracer's, and may be anything.
    let fields: HTTPFields

    #if Tracing
        private struct State {
            var hasEnded = false
            /// The last address of which there was a try.
            var address: String?
        }

        private let span: any Span
        private let state = Locked(State())

        private init(_ span: any Span, _ fields: HTTPFields) {
            self.span = span
            self.fields = fields
        }
    #else
        private init() { fields = [:] }
    #endif

    /// A request for the upgrade is about to be made. `nil` without the trait.
    /// - Parameter tellsServer: the server may know of the trace.
    static func begin(
        with url: WebSocketURL, attempt: Int, tellsServer: Bool, _ log: ConnectionLog
    ) -> HandshakeTrace? {
        #if Tracing
            let span = InstrumentationSystem.tracer.startSpan(
                "WebSocket handshake", context: .current ?? .topLevel, ofKind: .client)
            span.updateAttributes { attributes in
                attributes["http.request.method"] = "GET"
                attributes["network.protocol.name"] = "websocket"
                attributes["server.address"] = url.host
                if url.socketPath == nil { attributes["server.port"] = url.port }
                attributes["url.scheme"] = url.isSecure ? "wss" : "ws"
                attributes["websocket.attempt"] = attempt
                attributes["websocket.connection"] = log.number
                attributes["websocket.connection_id"] = log.identifier
            }
            var fields: HTTPFields = [:]
            // All instruments that there are, of which the tracer may be one.
            if tellsServer {
                InstrumentationSystem.instrument.inject(span.context, into: &fields, using: FieldInjector())
            }
            return HandshakeTrace(span, fields)
        #else
            return nil
        #endif
    }

    func lookedUp() {
        #if Tracing
            tell(SpanEvent(name: "looked up"))
        #endif
    }

    func reached(_ step: OpeningStep) {
        #if Tracing
            guard case .connecting(let address) = step else { return tell(SpanEvent(name: step.name)) }
            tell(
                SpanEvent(name: step.name, attributes: ["network.peer.address": .string(address.numeric)]),
                address: address.numeric)
        #endif
    }

    func opened(_ response: HTTPResponse?, _ tls: TLSInfo?) {
        #if Tracing
            end { attributes in
                if let response { attributes["http.response.status_code"] = response.status.code }
                if let tls { attributes["tls.protocol.version"] = tls.version.number }
            }
        #endif
    }

    /// - Parameter isFollowed: the server's answer leads elsewhere, and the client goes there.
    func failed(_ error: WebSocketError, isFollowed: Bool) {
        #if Tracing
            if !isFollowed { span.setStatus(SpanStatus(code: .error, message: error.loggedDescription)) }
            end { attributes in
                // With other codes the answer is a proxy's, or a token endpoint's.
                if error.code == .invalidHandshake, let response = error.httpResponse {
                    attributes["http.response.status_code"] = response.status.code
                }
                if !isFollowed { attributes["error.type"] = error.code.description }
            }
        #endif
    }

    #if Tracing
        /// The tracer is called with the lock held, so that the end cannot come in between.
        private func tell(_ event: SpanEvent, address: String? = nil) {
            state.withLock { state in
                guard !state.hasEnded else { return }
                if let address { state.address = address }
                span.addEvent(event)
            }
        }

        private func end(_ describe: (inout SpanAttributes) -> Void) {
            let address = state.withLock { state in
                state.hasEnded = true
                return state.address
            }
            span.updateAttributes { attributes in
                if let address { attributes["network.peer.address"] = address }
                describe(&attributes)
            }
            span.end()
        }
    #endif
}

#if Tracing
    /// Collects what is a header field at all. What of that may be in a handshake's request is decided there.
    private struct FieldInjector: Injector {
        func inject(_ value: String, forKey key: String, into fields: inout HTTPFields) {
            guard let name = HTTPField.Name(key), HTTPField.isValidValue(value) else { return }
            fields[name] = value
        }
    }
#endif

// MARK: - On behalf of a caller, elsewhere

/// What a caller's task, or thread, carries along to where something is done on its behalf: helpers ask for its credentials, and
/// a lost connection is made again for the call that has met the loss.
struct CallerContext: Sendable {
    #if Tracing
        private let context = ServiceContext.current
        /// A task may have one of its own.
        private let tracer = InstrumentationSystem.instrument as? any Tracer
    #endif

    func run(_ body: () -> Void) {
        #if Tracing
            ServiceContext.withValue(context) {
                if let tracer { withTracer(tracer, body) } else { body() }
            }
        #else
            body()
        #endif
    }

    func run(_ body: () async -> Void) async {
        #if Tracing
            await ServiceContext.withValue(context) {
                if let tracer { await withTracer(tracer, body) } else { await body() }
            }
        #else
            await body()
        #endif
    }
}
