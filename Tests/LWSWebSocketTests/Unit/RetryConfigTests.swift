// The waits between attempts, and the checks of their configuration.

import Testing

@testable import LWSWebSocket

@Suite("The configuration of retrying")
struct RetryConfigTests {
    @Test("has the contract's defaults")
    func defaults() {
        let retry = WebSocketRetryConfig()
        #expect(retry.maxCount == 0)
        #expect(retry.interval == .seconds(1))
        #expect(retry.backOffFactor == 1)
        #expect(retry.maxWaitInterval == .seconds(30))
        #expect(ClientConfiguration().retryConfig == nil)
        #expect(ClientConfiguration().followRedirects == 0)
    }

    @Test("makes each wait longer by the factor, up to the longest")
    func waits() {
        let retry = WebSocketRetryConfig(interval: .seconds(3), backOffFactor: 2, maxWaitInterval: .seconds(20))
        #expect((0..<6).map(retry.wait(before:)) == [3, 6, 12, 20, 20, 20].map(Duration.seconds))
        let even = WebSocketRetryConfig(interval: .milliseconds(100))
        #expect(even.wait(before: 0) == .milliseconds(100) && even.wait(before: 1000) == .milliseconds(100))
        #expect(WebSocketRetryConfig(interval: .seconds(40)).wait(before: 0) == .seconds(30))
    }

    @Test("does not overflow, however often and however long")
    func extremes() {
        let retry = WebSocketRetryConfig(
            interval: .seconds(Int64.max), backOffFactor: .greatestFiniteMagnitude, maxWaitInterval: .seconds(7))
        for attempt in [0, 1, 2, 1000, .max] { #expect(retry.wait(before: attempt) == .seconds(7)) }
        let long = WebSocketRetryConfig(
            interval: .nanoseconds(1), backOffFactor: 10, maxWaitInterval: .seconds(Int64.max))
        #expect(long.wait(before: 9) == .seconds(1))
        #expect(long.wait(before: 100) == .seconds(Int64.max))
    }

    @Test("counts attempts, and without limit where the count is 0")
    func counts() {
        #expect(WebSocketRetryConfig().allows(attempt: .max))
        #expect((0..<4).map(WebSocketRetryConfig(maxCount: 2).allows) == [true, true, false, false])
    }

    @Test(
        "refuses what means nothing, naming the field",
        arguments: [
            ("retryConfig.maxCount", WebSocketRetryConfig(maxCount: -1)),
            ("retryConfig.interval", WebSocketRetryConfig(interval: .zero)),
            ("retryConfig.interval", WebSocketRetryConfig(interval: .seconds(-1))),
            ("retryConfig.backOffFactor", WebSocketRetryConfig(backOffFactor: 0.99)),
            ("retryConfig.backOffFactor", WebSocketRetryConfig(backOffFactor: .nan)),
            ("retryConfig.backOffFactor", WebSocketRetryConfig(backOffFactor: .infinity)),
            ("retryConfig.maxWaitInterval", WebSocketRetryConfig(maxWaitInterval: .seconds(-1))),
        ])
    func refused(_ field: String, _ retry: WebSocketRetryConfig) {
        var configuration = ClientConfiguration()
        configuration.retryConfig = retry
        let error = failure { try WebSocketClient(unconnected: "ws://h/", configuration: configuration) }
        #expect(error?.code == .invalidArgument)
        #expect(error?.description.hasPrefix(field + ": ") == true)
    }

    @Test("refuses a negative number of redirects")
    func redirects() {
        var configuration = ClientConfiguration()
        configuration.followRedirects = -1
        let error = failure { try WebSocketClient(unconnected: "ws://h/", configuration: configuration) }
        #expect(error?.code == .invalidArgument)
        #expect(error?.description.hasPrefix("followRedirects: ") == true)
    }

    @Test("can be written in a file")
    func json() throws {
        let configuration = try ClientConfiguration(
            json: Array(
                """
                {"retryConfig": {"maxCount": 20, "interval": 3.5, "backOffFactor": 2, "maxWaitInterval": 20},
                 "followRedirects": 3}
                """.utf8))
        let retry = try #require(configuration.retryConfig)
        #expect(retry.maxCount == 20)
        #expect(retry.interval == .milliseconds(3500))
        #expect(retry.backOffFactor == 2)
        #expect(retry.maxWaitInterval == .seconds(20))
        #expect(configuration.followRedirects == 3)
        #expect(try ClientConfiguration(json: Array(#"{"retryConfig": null}"#.utf8)).retryConfig == nil)
        #expect(try ClientConfiguration(json: Array(#"{"retryConfig": {}}"#.utf8)).retryConfig?.maxCount == 0)
    }

    @Test(
        "names the member that a file has wrong",
        arguments: [
            (#"{"retryConfig": 5}"#, "configuration.retryConfig: expected an object"),
            (#"{"retryConfig": {"maxcount": 5}}"#, "configuration.retryConfig.maxcount: there is no such field"),
            (#"{"retryConfig": {"maxCount": 1.5}}"#, "configuration.retryConfig.maxCount: expected a whole number"),
            (
                #"{"retryConfig": {"interval": -1}}"#,
                "configuration.retryConfig.interval: expected a number of seconds"
            ),
            (#"{"retryConfig": {"interval": 0}}"#, "retryConfig.interval: "),
            (
                #"{"retryConfig": {"backOffFactor": "2"}}"#,
                "configuration.retryConfig.backOffFactor: expected a number"
            ),
            (#"{"retryConfig": {"maxWaitInterval": null}}"#, "configuration.retryConfig.maxWaitInterval: expected"),
            (#"{"followRedirects": true}"#, "configuration.followRedirects: expected a whole number"),
            (#"{"followRedirects": -1}"#, "followRedirects: "),
        ])
    func mistakes(_ json: String, _ words: String) {
        let error = failure { try ClientConfiguration(json: Array(json.utf8)) }
        #expect(error?.code == .invalidArgument)
        #expect(error?.description.contains(words) == true, "\(error?.description ?? "none")")
    }
}
