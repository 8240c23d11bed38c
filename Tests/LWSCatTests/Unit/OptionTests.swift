// From options to the configuration.

import ArgumentParser
import LWSWebSocket
import TestSupport
import Testing

@testable import LWSCatKit

@Suite("Options")
struct OptionTests {
    private func configuration(_ options: String...) throws -> ClientConfiguration {
        try ConnectionOptions.parse(options).configuration()
    }

    @Test("without any, the configuration is the library's")
    func defaults() throws {
        let (ours, library) = (try configuration(), ClientConfiguration())
        #expect(ours.secureSocket == nil)
        #expect(ours.auth == nil)
        #expect(ours.proxy == nil)
        #expect(ours.retryConfig == nil)
        #expect(ours.compression == library.compression)
        #expect(ours.handShakeTimeout == library.handShakeTimeout)
        #expect(ours.maxFrameSize == library.maxFrameSize)
        #expect(ours.maxMessageSize == library.maxMessageSize)
    }

    @Test("set limits, with multiples and none")
    func limits() throws {
        let set = try configuration(
            "--read-timeout", "1.5", "--write-timeout", "2", "--connect-timeout", "3", "--max-frame-size", "2K",
            "--max-message-size", "3m", "--follow-redirects", "4")
        #expect(set.readTimeout == .milliseconds(1500))
        #expect(set.writeTimeout == .seconds(2))
        #expect(set.handShakeTimeout == .seconds(3))
        #expect(set.maxFrameSize == 2048)
        #expect(set.maxMessageSize == 3 << 20)
        #expect(set.followRedirects == 4)
        let folder = try TemporaryFolder("lwscat-options")
        let file = try folder.write(#"{"readTimeout": 9, "maxMessageSize": 5, "handShakeTimeout": 5}"#, to: "c.json")
        let none = try configuration(
            "--config", file, "--read-timeout", "none", "--max-message-size", "none", "--connect-timeout", "none")
        #expect(none.readTimeout == nil)
        #expect(none.maxMessageSize == nil)
        #expect(none.handShakeTimeout == .seconds(300))
    }

    @Test("set compression, keep-alive, retries and the route")
    func upkeep() throws {
        let set = try configuration(
            "--compression-level", "9", "--client-no-context-takeover", "--server-no-context-takeover",
            "--client-max-window-bits", "9", "--server-max-window-bits", "8", "--ping-interval", "20",
            "--pong-timeout", "5", "--retry", "7", "--retry-interval", "0.5", "--retry-back-off", "2",
            "--retry-max-wait", "9", "--local-address", "127.0.0.1", "--proxy", "u:p@[::1]:3128")
        var compression = CompressionOptions()
        compression.level = 9
        compression.clientNoContextTakeover = true
        compression.serverNoContextTakeover = true
        compression.clientMaxWindowBits = 9
        compression.serverMaxWindowBits = 8
        #expect(set.compression == compression)
        #expect(set.pingInterval == .seconds(20))
        #expect(set.pongTimeout == .seconds(5))
        #expect(set.retryConfig?.maxCount == 7)
        #expect(set.retryConfig?.interval == .milliseconds(500))
        #expect(set.retryConfig?.backOffFactor == 2)
        #expect(set.retryConfig?.maxWaitInterval == .seconds(9))
        #expect(set.localAddress == "127.0.0.1")
        #expect(set.proxy == Proxy(host: "::1", port: 3128, username: "u", password: "p"))
        #expect(try configuration("--proxy", "environment").proxy == .environment)
        #expect(
            try configuration("--proxy", "http://proxy.example.com/").proxy
                == Proxy(host: "proxy.example.com", port: 80))
        #expect(try !configuration("--no-compression").webSocketCompressionEnabled)
    }

    @Test("change of the file's retries what they name")
    func retries() throws {
        let folder = try TemporaryFolder("lwscat-options")
        let file = try folder.write(#"{"retryConfig": {"maxCount": 3, "interval": 2}}"#, to: "c.json")
        let set = try configuration("--config", file, "--retry-max-wait", "9")
        #expect(set.retryConfig?.maxCount == 3)
        #expect(set.retryConfig?.interval == .seconds(2))
        #expect(set.retryConfig?.maxWaitInterval == .seconds(9))
        #expect(try configuration("--config", file, "--retry", "0").retryConfig?.interval == .seconds(2))
        #expect(throws: Failure.self) { try configuration("--retry-max-wait", "9") }
    }

    @Test("set everything about TLS")
    func tls() throws {
        let pin = "sha256/47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="
        let set = try configuration(
            "--insecure", "--server-name", "name", "--no-verify-host", "--tls-version", "1.3", "--tls-version", "1.2",
            "--cipher", "TLS_AES_128_GCM_SHA256", "--no-session-sharing", "--session-timeout", "60",
            "--tls-timeout", "5", "--key-log", "environment", "--cacert", "ca.pem", "--cert", "client.pem",
            "--key-password", "secret", "--pin", pin, "--ocsp", "soft")
        var expected = ClientSecureSocket()
        expected.enable = false
        expected.serverName = "name"
        expected.verifyHostName = false
        expected.protocol = [.tls12, .tls13]
        expected.ciphers = ["TLS_AES_128_GCM_SHA256"]
        expected.shareSession = false
        expected.sessionTimeout = .seconds(60)
        expected.handshakeTimeout = .seconds(5)
        expected.keyLog = .environment
        expected.cert = .pem("ca.pem")
        expected.key = .pem(certFile: "client.pem", keyFile: "client.pem", keyPassword: "secret")
        expected.pinnedPublicKeys = [try #require(PublicKeyPin(base64: pin))]
        expected.certValidation = .ocspStapling(.soft)
        #expect(set.secureSocket == expected)
        let folder = try TemporaryFolder("lwscat-options")
        let other = try configuration(
            "--cacert", folder.path, "--cert", "a.p12", "--key-password", "secret", "--crl", "list.pem",
            "--key-log", "keys"
        ).secureSocket
        #expect(other?.cert == .directory(folder.path))
        #expect(other?.key == .pkcs12("a.p12", password: "secret"))
        #expect(other?.certValidation == .crl("list.pem"))
        #expect(other?.keyLog == .file("keys"))
        #expect(
            try configuration("--cacert", "a.PFX", "--cacert-password", "secret").secureSocket?.cert
                == .pkcs12("a.PFX", password: "secret"))
    }

    @Test("show no secret in a dump")
    func secrets() throws {
        let options = try ConnectionOptions.parse(["--auth-bearer", "s3cret", "--proxy", "u:s3cret@h:1"])
        var text = ""
        dump(options, to: &text)
        #expect(!text.contains("s3cret"))
    }
}
