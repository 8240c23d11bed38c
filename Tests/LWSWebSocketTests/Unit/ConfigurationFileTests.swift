// Configurations that an operator writes in a file.

import Foundation
import HTTPTypes
import Testing

@testable import LWSWebSocket

@Suite("A configuration in JSON")
struct ConfigurationFileTests {
    private func configuration(_ json: String) throws -> ClientConfiguration {
        try ClientConfiguration(json: Array(json.utf8))
    }

    @Test("has the contract's defaults where nothing is said")
    func defaults() throws {
        let configuration = try configuration("{}")
        #expect(configuration.readTimeout == nil)
        #expect(configuration.handShakeTimeout == .seconds(300))
        #expect(configuration.maxFrameSize == 65536)
        #expect(configuration.maxMessageSize == 64 << 20)
        #expect(configuration.validation)
        #expect(configuration.subProtocols.isEmpty && configuration.cookies.isEmpty)
    }

    @Test("sets every field by the contract's name")
    func everyField() throws {
        let configuration = try configuration(
            """
            {"subProtocols": ["b", "a"], "customHeaders": {"X-One": "1", "X-Two": ["2", "3"]},
             "cookies": [{"name": "n", "value": "v", "path": "/p"}, {"name": "m", "value": "w"}],
             "readTimeout": 1.5, "writeTimeout": 0, "handShakeTimeout": 7, "maxFrameSize": 100,
             "maxMessageSize": null, "validation": false}
            """)
        #expect(configuration.subProtocols == ["b", "a"])
        let two = try #require(HTTPField.Name("X-Two"))
        #expect(configuration.customHeaders[values: two] == ["2", "3"])
        #expect(configuration.customHeaders.count == 3)
        #expect(
            configuration.cookies == [Cookie(name: "n", value: "v", path: "/p"), Cookie(name: "m", value: "w")])
        #expect(configuration.readTimeout == .milliseconds(1500))
        #expect(configuration.writeTimeout == .zero)
        #expect(configuration.handShakeTimeout == .seconds(7))
        #expect(configuration.maxFrameSize == 100)
        #expect(configuration.maxMessageSize == nil)
        #expect(!configuration.validation)
    }

    @Test("takes -1 and null for no time limit, and for the default of the handshake's")
    func noLimit() throws {
        let configuration = try configuration(
            #"{"readTimeout": -1, "writeTimeout": null, "handShakeTimeout": -1}"#)
        #expect(configuration.readTimeout == nil)
        #expect(configuration.writeTimeout == nil)
        #expect(configuration.handShakeTimeout == .seconds(300))
    }

    @Test(
        "names the field that is unknown, of another type, or not valid",
        arguments: [
            (#"{"readTimeOut": 1}"#, "configuration.readTimeOut"),
            (#"{"readTimeout": "1"}"#, "configuration.readTimeout: expected a number of seconds, found a string"),
            (#"{"readTimeout": -2}"#, "configuration.readTimeout"),
            (#"{"readTimeout": 1e300}"#, "configuration.readTimeout"),
            (#"{"maxFrameSize": 1.5}"#, "configuration.maxFrameSize: expected a whole number"),
            (#"{"maxFrameSize": null}"#, "configuration.maxFrameSize"),
            (#"{"maxMessageSize": -1}"#, "maxMessageSize"), (#"{"validation": 1}"#, "configuration.validation"),
            (#"{"subProtocols": "a"}"#, "configuration.subProtocols: expected an array"),
            (#"{"subProtocols": ["a", 2]}"#, "configuration.subProtocols[1]"),
            (#"{"subProtocols": ["a b"]}"#, "subProtocols"),
            (#"{"customHeaders": ["a"]}"#, "configuration.customHeaders: expected an object"),
            (#"{"customHeaders": {"X": {}}}"#, "configuration.customHeaders.X"),
            (#"{"customHeaders": {"Upgrade": "x"}}"#, "customHeaders"),
            (#"{"customHeaders": {"X": "a\r\nb"}}"#, "customHeaders"),
            (#"{"cookies": [{"name": "n"}]}"#, "configuration.cookies[0]"),
            (#"{"cookies": [{"name": "n", "value": "v", "domain": "d"}]}"#, "configuration.cookies[0].domain"),
            (#"{"cookies": [{"name": "n", "value": 5}]}"#, "configuration.cookies[0].value"),
            ("[]", "expected an object"), ("", "not valid JSON"), ("{", "not valid JSON"),
            (#"{"a": 1,}}"#, "not valid JSON"),
            (String(repeating: "[", count: 100_000), "not valid JSON"),
        ])
    func mistakes(_ json: String, _ words: String) {
        let error = failure { try configuration(json) }
        #expect(error?.code == .invalidArgument)
        #expect(error?.description.contains(words) == true, "\(error?.description ?? "none")")
    }

    @Test("does not show values, which may be secrets")
    func secrets() {
        for json in [
            #"{"cookies": [{"name": "n", "value": "s3cret with space"}]}"#,
            #"{"customHeaders": {"Authorization": "s3cret\u0000"}}"#, #"{"readTimeout": "s3cret"}"#,
        ] {
            let error = failure { try configuration(json) }
            #expect(error?.code == .invalidArgument)
            #expect(error?.description.contains("s3cret") == false)
        }
    }

    @Test("can come from a file, and says which cannot be read")
    func file() throws {
        let path = FileManager.default.temporaryDirectory.appending(path: "\(UUID().uuidString).json").path
        #expect(failure { try ClientConfiguration(jsonFile: path) }?.description.contains(path) == true)
        try #"{"maxFrameSize": 5}"#.write(toFile: path, atomically: true, encoding: .utf8)
        defer { try? FileManager.default.removeItem(atPath: path) }
        #expect(try ClientConfiguration(jsonFile: path).maxFrameSize == 5)
    }
}
