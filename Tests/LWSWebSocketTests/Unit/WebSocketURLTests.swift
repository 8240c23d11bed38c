// URLs: what they mean, and which are refused.

import Testing

@testable import LWSWebSocket

@Suite("A WebSocket URL")
struct WebSocketURLTests {
    @Test(
        "is taken apart into host, port, Host field and target",
        arguments: [
            ("ws://example.com", "example.com", 80, "example.com", "/"),
            ("WS://Example.com:8080", "Example.com", 8080, "Example.com:8080", "/"),
            ("ws://example.com:80/a/b?x=1&y=2", "example.com", 80, "example.com", "/a/b?x=1&y=2"),
            ("ws://127.0.0.1:9001/echo", "127.0.0.1", 9001, "127.0.0.1:9001", "/echo"),
            ("ws://[::1]:9001/", "::1", 9001, "[::1]:9001", "/"),
            ("ws://[fe80::1%25eth0]/", "fe80::1%eth0", 80, "[fe80::1]", "/"),
            ("ws://example.com?q", "example.com", 80, "example.com", "/?q"),
            ("ws://example.com/a b/ü?k=a b", "example.com", 80, "example.com", "/a%20b/%C3%BC?k=a%20b"),
            ("ws://münchen.example/", "xn--mnchen-3ya.example", 80, "xn--mnchen-3ya.example", "/"),
            ("ws://example.com/a%2Fb", "example.com", 80, "example.com", "/a%2Fb"),
            ("ws://example.com/p?q=a%20b%", "example.com", 80, "example.com", "/p?q=a%20b%25"),
            ("ws://example.com/%zz/%4/%%41/a b%2f", "example.com", 80, "example.com", "/%25zz/%254/%25%41/a%20b%2f"),
            (
                "ws://example.com/ü%C3%BC?[%5B]|\"^", "example.com", 80, "example.com",
                "/%C3%BC%C3%BC?%5B%5B%5D%7C%22%5E"
            ),
            ("ws://example.com/p?q=50%&r=a%26b", "example.com", 80, "example.com", "/p?q=50%25&r=a%26b"),
            ("ws://münchen.example/%7e %", "xn--mnchen-3ya.example", 80, "xn--mnchen-3ya.example", "/%7e%20%25"),
            ("  ws://example.com/x ", "example.com", 80, "example.com", "/x"),
            ("ws://example.com//double//", "example.com", 80, "example.com", "//double//"),
            ("ws://example.com:/", "example.com", 80, "example.com", "/"),
        ])
    func parts(_ text: String, _ host: String, _ port: Int, _ authority: String, _ target: String) throws {
        let url = try WebSocketURL(text)
        #expect(url.host == host)
        #expect(url.port == port)
        #expect(url.authority == authority)
        #expect(url.target == target)
        #expect(!url.isSecure)
    }

    @Test("has the port 443 where it is secure")
    func secure() throws {
        let url = try WebSocketURL("wss://example.com/x")
        #expect(url.isSecure)
        #expect(url.port == 443)
        #expect(url.authority == "example.com")
    }

    @Test(
        "may be a socket of the file system with a target",
        arguments: [
            ("ws+unix:///run/app.sock", "/run/app.sock", "/"), ("ws+unix:/run/app.sock", "/run/app.sock", "/"),
            ("WS+UNIX:///run/app.sock:/a/b?c=d", "/run/app.sock", "/a/b?c=d"),
            ("ws+unix:///run/app.sock:", "/run/app.sock", "/"), ("ws+unix:///run/s?q", "/run/s", "/?q"),
            ("ws+unix:///run/s:/a:b%20c", "/run/s", "/a:b%20c"),
            ("ws+unix:///run/a%3Ab%20c:/x", "/run/a:b c", "/x"), ("ws+unix:///run/a b:/x", "/run/a b", "/x"),
            ("ws+unix:///run/s:/a%20b%?c%3D ", "/run/s", "/a%20b%25?c%3D"),
        ])
    func unixSocket(_ text: String, _ path: String, _ target: String) throws {
        let url = try WebSocketURL(text)
        #expect(url.socketPath == path)
        #expect(url.host == path)
        #expect(url.target == target)
        #expect(url.authority == "localhost")
        #expect(!url.isSecure)
        #expect(try WebSocketURL("ws://h/").socketPath == nil)
    }

    @Test(
        "is refused with what is wrong with it",
        arguments: [
            ("", "scheme"), ("example.com", "scheme"), ("http://example.com", "http"), ("://x", ""),
            ("ws://", "host is empty"), ("ws:///path", "host is empty"), ("ws://:80/", "host is empty"),
            ("ws://h:0/", "port"), ("ws://h:65536/", "port"), ("ws://h:99999999999999999999/", "port"),
            ("ws://h:-1/", ""), ("ws://h:8x/", ""),
            ("ws://user@h/", "user information"), ("ws://user:secret@h/", "user information"),
            ("ws+unix:", "not absolute"), ("ws+unix://", "not absolute"), ("ws+unix:///", "not absolute"),
            ("ws+unix:relative.sock", "not absolute"), ("ws+unix://host/path", "no host"),
            ("ws+unix:///s:path", "slash"), ("ws+unix:///s%00", "control"), ("ws+unix:///s%ff", "UTF-8"),
            ("ws+unix:///\(String(repeating: "s", count: 199))", "200 bytes"), ("wss+unix:///s", "wss+unix"),
            ("ws+unix:///s:/#part", "fragment"), ("ws+unix://user@/s", "user information"),
            ("ws://h/#part", "fragment"), ("ws://h/\r\nX-Evil: 1", "line break"), ("ws://h/a\u{0}b", "control"),
            ("wss://[example.com]/", "name or address"), ("ws://[127.0.0.1]/", "name or address"),
            ("wss://[%25x]/", "name or address"), ("wss://.example.com/", "name or address"),
            ("ws://a b/", ""), ("ws://[::1/", ""), ("ws://exa%6dple/", "host"),
        ])
    func refused(_ text: String, _ words: String) {
        let error = #expect(throws: WebSocketError.self) { try WebSocketURL(text) }
        #expect(error?.code == .invalidArgument)
        #expect(error?.description.contains(words) == true, "\(error?.description ?? "")")
        #expect(error?.description.contains("secret") == false)
    }
}
