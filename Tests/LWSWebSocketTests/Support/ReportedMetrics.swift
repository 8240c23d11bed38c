// What clients have reported to swift-metrics, kept for tests.

#if Metrics
    import CoreMetrics
    import MetricsTestKit

    @testable import LWSWebSocket

    /// The metrics of the clients that are made with them, by the end of their labels.
    struct ReportedMetrics {
        let factory = TestMetrics()

        func client(
            _ url: String, _ configuration: ClientConfiguration = ClientConfiguration()
        ) throws(WebSocketError) -> WebSocketClient {
            try withMetricsFactory(factory) { () throws(WebSocketError) in
                try WebSocketClient(url, configuration: configuration)
            }
        }

        private func label(_ end: String) -> String { "websocket.client.\(end)" }

        func count(_ end: String, _ dimensions: [(String, String)] = []) -> Int64 {
            factory.counterTotal(label: label(end), dimensions: dimensions)
        }

        /// Nanoseconds.
        func times(_ end: String) -> [Int64] { factory.timers(label: label(end)).flatMap(\.values) }

        /// Connections that are open.
        var connections: Double { meter("connections") }

        /// Messages and bytes.
        func traffic(_ direction: String) -> [Int64] {
            ["messages", "bytes"].map { count($0, [("direction", direction)]) }
        }

        /// Messages that wait.
        func queued(_ which: String) -> Double { meter("queue.\(which)") }

        private func meter(_ end: String) -> Double { factory.meters(label: label(end)).first?.lastValue ?? 0 }
    }

    /// A backend as they were before swift-metrics had meters.
    final class BackendWithoutMeters: MetricsFactory {
        let metrics = TestMetrics()

        func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
            metrics.makeCounter(label: label, dimensions: dimensions)
        }
        func makeRecorder(
            label: String, dimensions: [(String, String)], aggregate: Bool
        ) -> any RecorderHandler {
            metrics.makeRecorder(label: label, dimensions: dimensions, aggregate: aggregate)
        }
        func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
            metrics.makeTimer(label: label, dimensions: dimensions)
        }
        func destroyCounter(_ handler: any CounterHandler) { metrics.destroyCounter(handler) }
        func destroyRecorder(_ handler: any RecorderHandler) { metrics.destroyRecorder(handler) }
        func destroyTimer(_ handler: any TimerHandler) { metrics.destroyTimer(handler) }
    }
#endif
