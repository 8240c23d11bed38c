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
             "maxMessageSize": null, "validation": false, "loggedPayloadBytes": 12}
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
        #expect(configuration.loggedPayloadBytes == 12)
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
            (#"{"readTimeOut": 1}"#, "readTimeOut: there is no such field; did you mean readTimeout?"),
            (#"{"subprotocol": []}"#, "did you mean subProtocols?"),
            (#"{"headers": {}}"#, "did you mean customHeaders?"),
            (#"{"proxy": {"hsot": "a"}}"#, "configuration.proxy.hsot: there is no such field; did you mean host?"),
            (#"{"retryConfig": {"intervall": 1}}"#, "did you mean interval?"),
            (#"{"secureSocket": {"cert": {"pasword": ""}}}"#, "did you mean password?"),
            (
                #"{"auth": {"tokenURL": "https://a/", "clientId": "a", "clientSecret": "b"}}"#,
                "configuration.auth.tokenURL: there is no such field; did you mean tokenUrl?"
            ),
            (
                #"{"auth": {"username": "a", "passwort": "s3cret"}}"#,
                "configuration.auth.passwort: there is no such field; did you mean password?"
            ),
            (#"{"auth": {"isuer": "a", "signatureConfig": {"algorithm": "NONE"}}}"#, "did you mean issuer?"),
            (#"{"auth": {"token": "a", "clientId": "b"}}"#, "configuration.auth.clientId: does not go with token"),
            (
                #"{"auth": {"tokenUrl": "https://a/", "assertion": "a", "username": "b"}}"#,
                "configuration.auth.username: does not go with assertion"
            ),
            (
                #"{"auth": {"clientId": "a", "clientSecret": "b"}}"#,
                "configuration.auth: expected an object with username and password, token, signatureConfig, tokenUrl or"
            ),
            (
                #"{"auth": {"username": "a"}}"#,
                "configuration.auth: expected an object with username and password, token"
            ),
            (
                #"{"auth": {"tokenUrl": "https://a/", "clientId": "a"}}"#,
                "configuration.auth: expected an object with clientId and clientSecret"
            ),
            (String(repeating: "[", count: 100_000), "not valid JSON"),
        ])
    func mistakes(_ json: String, _ words: String) {
        let error = failure { try configuration(json) }
        #expect(error?.code == .invalidArgument)
        #expect(error?.description.contains(words) == true, "\(error?.description ?? "none")")
    }

    @Test(
        "says where it is not JSON, or has a name twice",
        arguments: [
            ("", "expected a value, and it ends there (line 1, column 1)"),
            ("{\n  \"readTimeout\": 1,\n  \"é\": 2 \"b\"}", "expected , or } (line 3, column 10)"),
            ("{\r\n\"a\": [1,\r\n 2,]}", "expected a value (line 3, column 4)"),
            ("{\"a\": 1,}", "expected a name in quotes (line 1, column 9)"),
            ("// words\n{}", "expected a value (line 1, column 1)"),
            ("{'a': 1}", "a name in quotes (line 1, column 2)"),
            ("{\"a\": tru}", "expected a value (line 1, column 7)"), ("{\"a\" 1}", "expected : (line 1, column 6)"),
            ("{\"a\": 01}", "expected , or } (line 1, column 8)"),
            ("{\"a\": 1.}", "expected a digit (line 1, column 9)"),
            ("{\"a\": \"b\tc\"}", "or an escape for this character (line 1, column 9)"),
            ("{\"a\": \"\\x\"}", "expected an escape of JSON's (line 1, column 9)"),
            ("{\"a\": \"\\u12\"}", "expected four hexadecimal digits (line 1, column 12)"),
            ("{\"a\": \"b", "expected the string's closing quotes, and it ends there (line 1, column 9)"),
            ("{} 1", "there is something after the end (line 1, column 4)"),
            (
                "{\"readTimeout\": 1,\n \"readTimeout\": 2}",
                "configuration: \"readTimeout\" is there twice (line 2, column 2)"
            ),
            ("{\"proxy\": {\"port\": 1, \"p\\u006frt\": 2}}", "\"port\" is there twice (line 1, column 23)"),
            ("{\"customHeaders\": {\"\u{e9}\": \"\", \"e\u{301}\": \"\"}}", "is there twice (line 1, column 29)"),
        ])
    func places(_ json: String, _ words: String) throws {
        let error = failure { try configuration(json) }
        #expect(error?.code == .invalidArgument && error?.description.hasSuffix(words) == true, "\(error as Any)")
    }

    @Test("may have all that JSON has")
    func grammar() throws {
        let json =
            #" { "customHeaders" : { "X\u002dA" : "\u0061\/\\ ü" , "X-B": [ ] } , "readTimeout":1.5e+0, "writeTimeout": -1,"#
            + "\n\t\"followRedirects\": 0, \"subProtocols\": [\"a\",\r\n \"b\"], \"validation\": true, \"proxy\": null }\n"
        let read = try configuration(json)
        #expect(read.readTimeout == .milliseconds(1500) && read.subProtocols == ["a", "b"])
        #expect(read.customHeaders.first?.name.rawName == "X-A" && read.customHeaders.first?.value == "a/\\ ü")
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
        let missing = failure { try ClientConfiguration(jsonFile: path) }
        #expect(missing?.description == "configuration: the file \(path) cannot be read: No such file or directory")
        #expect(failure { try ClientConfiguration(jsonFile: "/") }?.description.hasSuffix(": Is a directory") == true)
        #expect(failure { try ClientConfiguration(jsonFile: "/dev/zero") }?.description.hasSuffix("bytes") == true)
        #expect(
            failure { try ClientConfiguration(jsonFile: "a\0b") }?.description.hasSuffix("has a NUL in it") == true)
        try #"{"maxFrameSiz": 5}"#.write(toFile: path, atomically: true, encoding: .utf8)
        let wrong = failure { try ClientConfiguration(jsonFile: path) }
        #expect(wrong?.description.hasPrefix("\(path): configuration.maxFrameSiz: there is no such field") == true)
        try #"{"maxFrameSize": 5}"#.write(toFile: path, atomically: true, encoding: .utf8)
        defer { try? FileManager.default.removeItem(atPath: path) }
        #expect(try ClientConfiguration(jsonFile: path).maxFrameSize == 5)
    }

    @Test("can come through a pipe")
    func pipe() throws {
        let pipe = Pipe()
        let json = #"{"maxFrameSize": 7, "customHeaders": {"X": "\#(String(repeating: "x", count: 40_000))"}}"#
        pipe.fileHandleForWriting.write(Data(json.utf8))
        try pipe.fileHandleForWriting.close()
        let path = "/dev/fd/\(pipe.fileHandleForReading.fileDescriptor)"
        #expect(try ClientConfiguration(jsonFile: path).maxFrameSize == 7)
    }
}
