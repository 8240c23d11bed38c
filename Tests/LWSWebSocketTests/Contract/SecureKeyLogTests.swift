// The file that the keys of connections are written to, where that is asked for.

import Foundation
import LWSEchoServer
import TestSupport
import Testing

@testable import LWSWebSocket

@Suite("A key log")
struct SecureKeyLogTests {
    private let authority: CertificateAuthority
    private let folder: TemporaryFolder
    private let path: String

    init() throws {
        authority = try CertificateAuthority.shared
        folder = try TemporaryFolder("lws-test-keys")
        path = folder.file("keys.txt")
    }

    private func lines(_ file: String) throws -> [String] {
        try String(contentsOfFile: file, encoding: .utf8).split(separator: "\n").map(String.init)
    }

    /// The kinds of line of a connection (the format is NSS's; RFC 9850 has it too).
    private static let labels: [PeerTLSVersion: Set<String>] = [
        .tls12: ["CLIENT_RANDOM"],
        .tls13: [
            "CLIENT_HANDSHAKE_TRAFFIC_SECRET", "SERVER_HANDSHAKE_TRAFFIC_SECRET", "CLIENT_TRAFFIC_SECRET_0",
            "SERVER_TRAFFIC_SECRET_0", "EXPORTER_SECRET",
        ],
    ]

    @Test(
        "has what the server's has: the same keys of the same connection", arguments: [PeerTLSVersion.tls12, .tls13])
    func keys(_ version: PeerTLSVersion) throws {
        let theirs = folder.file("theirs.txt")
        let identity = try authority.server(.good)
        let port = try FreePort.find()
        // -www: it answers every request with a page, which is no upgrade.
        let server = try PeerProcess(
            OpenSSLCommand.path(),
            [
                "s_server", "-accept", "127.0.0.1:\(port)", "-cert", identity.certificateFile, "-cert_chain",
                identity.chainFile, "-key", identity.privateKeyFile, version == .tls12 ? "-tls1_2" : "-tls1_3",
                "-www",
                "-keylogfile", theirs,
            ])
        defer { server.stop() }
        try server.waitUntilListening(on: port)
        let configuration = try SettingsFixture.configuration { $0.keyLog = .file(path) }
        let error = SettingsFixture.refusal("wss://127.0.0.1:\(port)/", configuration)
        #expect(error?.code == .invalidHandshake, "\(error?.description ?? "none")")
        let ours = try lines(path)
        #expect(Set(ours.map { String($0.prefix { $0 != " " }) }) == Self.labels[version])
        for line in ours {
            let parts = line.split(separator: " ")
            #expect(
                parts.count == 3 && parts[1].count == 64
                    && parts.dropFirst().allSatisfy { $0.allSatisfy(\.isHexDigit) })
        }
        #expect(Set(ours.map { $0.split(separator: " ")[1] }).count == 1, "one connection has one random number")
        let known = try Set(lines(theirs).map { $0.lowercased() })
        #expect(ours.allSatisfy { known.contains($0.lowercased()) })
    }

    @Test("is for its owner alone, and what it holds is kept", arguments: [PeerTLSVersion.tls12, .tls13])
    func file(_ version: PeerTLSVersion) throws {
        let server = try SettingsFixture.echoServer { $0.protocols = [version == .tls12 ? .tls12 : .tls13] }
        defer { server.stop() }
        let configuration = try SettingsFixture.configuration { $0.keyLog = .file(path) }
        try SettingsFixture.visit(server.url(), configuration)
        let attributes = try FileManager.default.attributesOfItem(atPath: path)
        #expect((attributes[.posixPermissions] as? NSNumber)?.intValue == 0o600)
        let first = try lines(path)
        #expect(!first.isEmpty)
        // A resumed connection and two at the same time; each has keys of its own.
        let second = try WebSocketClient(server.url(), configuration: configuration)
        let third = try WebSocketClient(server.url(), configuration: configuration)
        try second.exchange()
        try third.exchange()
        let all = try lines(path)
        #expect(Array(all.prefix(first.count)) == first)
        #expect(Set(all.map { $0.split(separator: " ")[1] }).count == 3)
        try second.close()
        try third.close()
    }

    @Test("is appended to where it is there already, and made again where it was taken away")
    func appended() throws {
        let server = try SettingsFixture.echoServer()
        defer { server.stop() }
        try folder.write("# mine\n", to: "keys.txt")
        let configuration = try SettingsFixture.configuration { $0.keyLog = .file(path) }
        try SettingsFixture.visit(server.url(), configuration)
        let kept = try lines(path)
        #expect(kept.first == "# mine" && kept.count > 1)
        #expect(eventually { TLSContextPool.shared.count == 0 })
        try FileManager.default.removeItem(atPath: path)
        try SettingsFixture.visit(server.url(), configuration)
        #expect(try lines(path).first?.hasPrefix("# mine") == false)
    }

    @Test("is not written unless the configuration asks for it")
    func notAsked() throws {
        let server = try SettingsFixture.echoServer()
        defer { server.stop() }
        let (named, other) = (folder.file("named.txt"), folder.file("other.txt"))
        try withEnvironment(["SSLKEYLOGFILE": named]) {
            try SettingsFixture.visit(server.url(), SettingsFixture.configuration())
            #expect(!folder.has("named.txt"))
            // The configuration's file counts.
            try SettingsFixture.visit(server.url(), SettingsFixture.configuration { $0.keyLog = .file(other) })
            #expect(!folder.has("named.txt") && folder.has("other.txt"))
            try SettingsFixture.visit(server.url(), SettingsFixture.configuration { $0.keyLog = .environment })
            #expect(try !lines(named).isEmpty)
        }
        // Where the environment names none there is none.
        try SettingsFixture.visit(server.url(), SettingsFixture.configuration { $0.keyLog = .environment })
        try withEnvironment(["SSLKEYLOGFILE": ""]) {
            _ = try SettingsFixture.visit(server.url(), SettingsFixture.configuration { $0.keyLog = .environment })
        }
        let before = try lines(other).count
        try SettingsFixture.visit(server.url(), SettingsFixture.configuration())
        #expect(try lines(other).count == before)
    }

    @Test("has nothing of a connection without it, where clients with and without it are open")
    func others() throws {
        let server = try SettingsFixture.echoServer()
        defer { server.stop() }
        let logged = try WebSocketClient(
            server.url(), configuration: SettingsFixture.configuration { $0.keyLog = .file(path) })
        let count = try lines(path).count
        let silent = try WebSocketClient(server.url(), configuration: SettingsFixture.configuration())
        try silent.exchange()
        try logged.exchange()
        #expect(try lines(path).count == count)
        try silent.close()
        try logged.close()
    }
}
