// Proxies as the configuration and the environment name them.

import Testing

@testable import LWSWebSocket

@Suite("The environment's proxy")
struct ProxyEnvironmentTests {
    private func server(
        _ variables: [String: String], for url: String = "ws://example.com/"
    ) throws(WebSocketError) -> ProxyServer? {
        try Proxy.environment.server(for: WebSocketURL(url), environment: variables)
    }

    @Test(
        "is taken from the variable that belongs to the scheme",
        arguments: [
            ("ws", ["http_proxy": "http://a:1"], "a:1"), ("ws", ["http_proxy": "a:1", "https_proxy": "b:2"], "a:1"),
            ("wss", ["http_proxy": "a:1", "https_proxy": "b:2"], "b:2"), ("wss", ["HTTPS_PROXY": "c:3"], "c:3"),
            ("wss", ["HTTPS_PROXY": "c:3", "https_proxy": "b:2"], "b:2"), ("ws", ["all_proxy": "d:4"], "d:4"),
            ("wss", ["all_proxy": "d:4", "ALL_PROXY": "e:5"], "d:4"), ("ws", ["ALL_PROXY": "e:5"], "e:5"),
            ("ws", ["http_proxy": "", "all_proxy": "d:4"], "d:4"), ("ws", ["http_proxy": "HTTP://a/"], "a:80"),
            ("ws", ["http_proxy": " http://[::1]:8080 "], "[::1]:8080"), ("ws", ["http_proxy": "a"], "a:80"),
            ("ws", ["HTTP_PROXY": "x:1"], ""), ("ws", ["https_proxy": "x:1"], ""), ("ws", [:], ""),
        ] as [(String, [String: String], String)])
    func variable(_ scheme: String, _ variables: [String: String], _ name: String) throws {
        #expect(try server(variables, for: "\(scheme)://example.com/")?.name ?? "" == name)
    }

    @Test("has its credentials decoded")
    func credentials() throws {
        let found = try server(["http_proxy": "http://us%65r:p%40ss%3a%25@proxy:1"])
        #expect(found == ProxyServer(host: "proxy", port: 1, username: "user", password: "p@ss:%"))
        #expect(found?.credentials == "user:p@ss:%")
        #expect(try server(["http_proxy": "http://user@proxy:1"])?.credentials == "user:")
    }

    @Test(
        "is passed by for hosts in no_proxy",
        arguments: [
            ("*", "ws://anything/", true), ("example.com", "ws://example.com/", true),
            ("example.com", "ws://www.Example.com./", true), ("example.com", "ws://badexample.com/", false),
            (".example.com", "ws://www.example.com/", true), (".example.com", "ws://example.com/", true),
            ("EXAMPLE.com", "ws://example.com/", true), ("a, b ,example.com", "ws://example.com/", true),
            ("", "ws://example.com/", false), (",.,", "ws://example.com/", false),
            ("example.com:80", "ws://example.com/", true), ("example.com:81", "ws://example.com/", false),
            ("example.com:x", "ws://example.com/", false), ("127.0.0.1", "ws://127.0.0.1:9/", true),
            ("127.0.0.1:9", "ws://127.0.0.1:9/", true), ("127.0.0.1:8", "ws://127.0.0.1:9/", false),
            ("0.0.1", "ws://127.0.0.1/", false), ("::1", "ws://[::1]/", true), ("[::1]", "ws://[0:0::1]/", true),
            ("[::1]:80", "ws://[::1]/", true), ("[::1]:81", "ws://[::1]/", false), ("com", "ws://example.com/", true),
            ("10.0.0.0/8", "ws://10.0.0.1/", false),
        ])
    func exempt(_ list: String, _ url: String, _ isExempt: Bool) throws {
        #expect(try (server(["http_proxy": "p:1", "no_proxy": list], for: url) == nil) == isExempt)
        #expect(try (server(["http_proxy": "p:1", "NO_PROXY": list], for: url) == nil) == isExempt)
    }

    @Test(
        "is refused where it is malformed, by the variable's name and without its credentials",
        arguments: [
            "http://user:s3cret@", "http://user:s3cret@:80", "https://user:s3cret@h:1", "socks5://user:s3cret@h:1",
            "http://user:s3cret@h:0", "http://user:s3cret@h:99999", "http://user:s3cret@h:1/path",
            "http://user:s3cret@h:1?q", "http://user:s3#cret@h:1", "http://:s3cret@h:1", "user:s3cret@h:x",
            "http://user:s3cret%ff@h:1", "http://user:s3cret%0a@h:1", "http://us%3aer:s3cret@h:1",
            "http://h h:1", "http://user:s3cret@[::1", "://",
            "http://user:s3cret\(String(repeating: "x", count: 4096))@h:1",
        ])
    func malformed(_ value: String) throws {
        let error = failure { try server(["http_proxy": value]) }
        #expect(error?.code == .invalidArgument)
        #expect(error?.description.contains("http_proxy") == true, "\(error?.description ?? "none")")
        #expect(error?.description.contains("cret") == false, "\(error?.description ?? "none")")
        // What no_proxy exempts does not matter.
        #expect(try server(["http_proxy": value, "no_proxy": "*"]) == nil)
    }

    @Test("does not concern sockets of the file system")
    func unixSocket() throws {
        #expect(try server(["http_proxy": "p:1", "all_proxy": "p:1"], for: "ws+unix:///s") == nil)
    }
}

@Suite("A proxy in the configuration")
struct ProxyConfigurationTests {
    private func refusal(_ proxy: Proxy, url: String = "ws://example.com/") -> WebSocketError? {
        var configuration = ClientConfiguration()
        configuration.proxy = proxy
        return failure { try WebSocketClient(unconnected: url, configuration: configuration) }
    }

    @Test(
        "is refused where it is not valid",
        arguments: [
            (Proxy(host: "", port: 1), "host"), (Proxy(host: "a b", port: 1), "host"),
            (Proxy(host: "http://h", port: 1), "host"), (Proxy(host: "[::1]", port: 1), "host"),
            (Proxy(host: "h@i", port: 1), "host"), (Proxy(host: "h", port: 0), "port"),
            (Proxy(host: "h", port: 65536), "port"), (Proxy(host: "h", port: 1, password: "s3cret"), "username"),
            (Proxy(host: "h", port: 1, username: "", password: "s3cret"), "username"),
            (Proxy(host: "h", port: 1, username: "s3cret:x"), "username"),
            (Proxy(host: "h", port: 1, username: "u", password: "s3cret\r\nX: 1"), "control"),
            (Proxy(host: "h", port: 1, username: "u", password: "s3cret\0"), "control"),
            (
                Proxy(host: "h", port: 1, username: "u", password: "s3cret" + String(repeating: "x", count: 4090)),
                "4095"
            ),
        ])
    func refused(_ proxy: Proxy, _ words: String) {
        let error = refusal(proxy)
        #expect(error?.code == .invalidArgument)
        #expect(error?.description.hasPrefix("proxy: ") == true)
        #expect(error?.description.contains(words) == true, "\(error?.description ?? "none")")
        #expect(error?.description.contains("s3cret") == false)
    }

    @Test("is refused together with what cannot be reached through it")
    func unreachable() {
        let proxy = Proxy(host: "h", port: 1, username: "u", password: String(repeating: "x", count: 4094))
        #expect(refusal(proxy) == nil)
        #expect(refusal(proxy, url: "ws://\(String(repeating: "h", count: 253))/") == nil)
        let error = refusal(proxy, url: "ws+unix:///tmp/socket")
        #expect(error?.code == .invalidArgument)
        #expect(error?.description.hasPrefix("proxy: ") == true)
    }

    @Test("does not show its credentials")
    func secrets() {
        let proxy = Proxy(host: "h", port: 1, username: "user", password: "s3cret")
        #expect("\(proxy)" == "h:1")
        var dumped = ""
        dump(proxy, to: &dumped)
        #expect(!dumped.contains("s3cret") && !String(reflecting: proxy).contains("s3cret"))
        var configuration = ClientConfiguration()
        configuration.proxy = proxy
        #expect(!"\(configuration)".contains("s3cret"))
    }

    @Test("is asked for in JSON")
    func json() throws {
        func proxy(_ json: String) throws -> Proxy? { try ClientConfiguration(json: Array(json.utf8)).proxy }
        #expect(try proxy(#"{"proxy": {"host": "h", "port": 8080}}"#) == Proxy(host: "h", port: 8080))
        #expect(
            try proxy(#"{"proxy": {"host": "h", "port": 1, "username": "u", "password": "p"}}"#)
                == Proxy(host: "h", port: 1, username: "u", password: "p"))
        #expect(try proxy(#"{"proxy": "environment"}"#) == .environment)
        #expect(try proxy(#"{"proxy": null}"#) == nil)
        for (json, words) in [
            (#"{"proxy": "s3cret"}"#, "configuration.proxy: expected an object, or \"environment\""),
            (#"{"proxy": {"host": "h"}}"#, "configuration.proxy: expected an object with host and port"),
            (#"{"proxy": {"host": "h", "port": "1"}}"#, "configuration.proxy.port"),
            (#"{"proxy": {"host": "h", "port": 1, "user": "s3cret"}}"#, "configuration.proxy.user"),
            (#"{"proxy": {"host": "h", "port": 1, "username": 5}}"#, "configuration.proxy.username"),
            (#"{"proxy": {"host": "h", "port": 0}}"#, "proxy: its port"),
            (#"{"localAddress": 5}"#, "configuration.localAddress"), (#"{"localAddress": ""}"#, "localAddress: "),
        ] {
            let error = failure { try proxy(json) }
            #expect(error?.code == .invalidArgument)
            #expect(error?.description.contains(words) == true, "\(error?.description ?? "none")")
            #expect(error?.description.contains("s3cret") == false)
        }
        #expect(
            try ClientConfiguration(json: Array(#"{"localAddress": "192.0.2.1"}"#.utf8)).localAddress == "192.0.2.1")
    }
}

@Suite("A proxy's answer")
struct ProxyAnswerTests {
    @Test(
        "is understood when its head is complete",
        arguments: [
            ("", ProxyAnswer.incomplete), ("HTT", .incomplete), ("HTTP/1.1 200 OK\r\nA: b\r\n", .incomplete),
            ("HTTP/1.1 200 OK\r\n\r\n", .accepted), ("HTTP/1.0 200 \r\nA: b\r\n\r\nrest", .accepted),
            ("HTTP/1.1 407 No\r\n\r\n", .refused(status: 407)), ("HTTP/1.1 502\r\n\r\n", .refused(status: 502)),
            ("HTTP/1.1 2000 OK\r\n\r\n", .refused(status: 200)), ("HTTP/2 200 OK\r\n\r\n", .invalid),
            ("SSH-2.0-OpenSSH\r\n", .invalid), ("S", .invalid), ("HTTP/1.1 abc\r\n\r\n", .invalid),
            ("HTTP/1.1\r\n\r\n", .invalid), ("HTTP/1.1 +20 x\r\n\r\n", .invalid),
            ("HTTP/1.1 200 OK\r\n" + String(repeating: "x", count: 20000), .invalid),
        ])
    func answers(_ text: String, _ answer: ProxyAnswer) {
        #expect(ProxyAnswer(text.utf8) == answer)
    }
}
