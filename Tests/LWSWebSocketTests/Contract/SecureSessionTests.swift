// Sessions of TLS that later connections resume.

import Foundation
import LWSEchoServer
import LWSServiceLoop
import TestSupport
import Testing

@testable import LWSWebSocket

@Suite("A session of TLS")
struct SecureSessionTests {
    private let authority: CertificateAuthority
    private let upstream: EchoServer

    init() throws {
        authority = try CertificateAuthority.shared
        upstream = try EchoServer()
    }

    private func nginx(
        _ version: PeerTLSVersion, _ leaf: CertificateAuthority.ServerLeaf = .good,
        _ change: (inout NginxServer.TLS) -> Void = { _ in }
    ) throws -> NginxServer {
        try NginxServer(upstream: upstream.port, identity: authority.server(leaf)) {
            $0.versions = [version]
            change(&$0)
        }
    }

    private static let versions = [PeerTLSVersion.tls12, .tls13]

    /// The key under which a client keeps its sessions.
    private func key(_ url: String, _ configuration: ClientConfiguration) throws -> TLSSessionCache.Key {
        let settings = try #require(configuration.secureSocket)
        return try .init(settings: TLSContextKey(settings).digest, server: TLSServer(WebSocketURL(url), settings))
    }

    // MARK: - Resumed

    @Test("is resumed by the echo server, also when the first client is gone", arguments: versions)
    func echoServer(_ version: PeerTLSVersion) throws {
        let server = try SettingsFixture.echoServer { $0.protocols = [version == .tls12 ? .tls12 : .tls13] }
        defer { server.stop() }
        let configuration = try SettingsFixture.configuration()
        let first = try SettingsFixture.visit(server.url(), configuration)
        #expect(!first.isResumed)
        for _ in 0..<3 {
            let next = try SettingsFixture.visit(server.url(), configuration)
            #expect(next.isResumed && next.version == first.version && next.cipherSuite == first.cipherSuite)
            // What the first one has learned of the server is still known.
            #expect(next.peerCertificates == first.peerCertificates && next.peerCertificates.count == 2)
        }
    }

    @Test("is resumed by nginx, with tickets and with its cache", arguments: versions, [false, true])
    func nginx(_ version: PeerTLSVersion, _ withTickets: Bool) throws {
        let nginx = try nginx(version) { $0.ticketsEnabled = withTickets }
        let configuration = try SettingsFixture.configuration()
        let first = try WebSocketClient(nginx.url(), configuration: configuration)
        try first.exchange()
        #expect(first.tlsInfo?.isResumed == false)
        // The first one is still open.
        #expect(try SettingsFixture.visit(nginx.url(), configuration).isResumed)
        try first.exchange()
        try first.close()
        #expect(try SettingsFixture.visit(nginx.url(), configuration).isResumed)
    }

    @Test("is resumed by Python, which says so too", arguments: versions, [false, true])
    func python(_ version: PeerTLSVersion, _ withTickets: Bool) throws {
        var tls = PythonWebSocketsServer.TLS(try authority.server(.good))
        (tls.oldest, tls.newest, tls.ticketsEnabled) = (version, version, withTickets)
        let server = try PythonWebSocketsServer(tls: tls)
        let configuration = try SettingsFixture.configuration()
        // Without tickets Python offers nothing to resume in TLS 1.3.
        let isOffered = version == .tls12 || withTickets
        for isResumed in [false, isOffered, isOffered] {
            let client = try WebSocketClient(server.url("/tls"), configuration: configuration)
            let facts = try client.facts()
            #expect(facts.reused == isResumed && client.tlsInfo?.isResumed == isResumed)
            #expect(facts.version == version.rawValue && facts.protocol == nil)
            try client.exchange()
            try client.close()
        }
    }

    // MARK: - Not resumed

    @Test("is not resumed where it is not to be shared", arguments: versions)
    func notShared(_ version: PeerTLSVersion) throws {
        let nginx = try nginx(version)
        let alone = try SettingsFixture.configuration { $0.shareSession = false }
        for _ in 0..<2 { #expect(try !SettingsFixture.visit(nginx.url(), alone).isResumed) }
        // Nor by a client that would share.
        #expect(try TLSSessionCache.shared.count(key(nginx.url(), alone), nil) == 0)
        #expect(try !SettingsFixture.visit(nginx.url(), SettingsFixture.configuration()).isResumed)
    }

    @Test("is not resumed when its time is over", arguments: versions, [false, true])
    func time(_ version: PeerTLSVersion, _ fromServer: Bool) throws {
        let nginx = try nginx(version) { if fromServer { $0.sessionTimeout = .seconds(1) } }
        let limit = fromServer ? nil : Duration.seconds(1)
        let configuration = try SettingsFixture.configuration { $0.sessionTimeout = limit }
        #expect(try !SettingsFixture.visit(nginx.url(), configuration).isResumed)
        let key = try key(nginx.url(), configuration)
        #expect(eventually { TLSSessionCache.shared.count(key, limit) == 0 })
        #expect(try !SettingsFixture.visit(nginx.url(), configuration).isResumed)
    }

    @Test("is not made younger by being resumed: the certificate is verified again in time", arguments: versions)
    func renewal(_ version: PeerTLSVersion) throws {
        var resumed = 0
        // A slow machine gets few connections into a second.
        for limit in [Duration.seconds(1), .seconds(5), .seconds(30)] where resumed <= 3 {
            let nginx = try nginx(version)
            let configuration = try SettingsFixture.configuration { $0.sessionTimeout = limit }
            #expect(try !SettingsFixture.visit(nginx.url(), configuration).isResumed)
            // Each resumed connection brings new tickets.
            resumed = 0
            let wasVerifiedAgain = try eventually(within: limit + Timing.ages) {
                let isResumed = try SettingsFixture.visit(nginx.url(), configuration).isResumed
                if isResumed { resumed += 1 }
                return !isResumed
            }
            #expect(wasVerifiedAgain)
        }
        #expect(resumed > 3)
    }

    @Test("is not kept where its time is zero, and kept where there is no limit", arguments: versions)
    func times(_ version: PeerTLSVersion) throws {
        let nginx = try nginx(version)
        for (limit, isResumed) in [(Duration.zero, false), (.seconds(-1), true), (.seconds(Int64.max), true)] {
            let configuration = try SettingsFixture.configuration { $0.sessionTimeout = limit }
            #expect(try !SettingsFixture.visit(nginx.url(), configuration).isResumed, "\(limit)")
            #expect(try SettingsFixture.visit(nginx.url(), configuration).isResumed == isResumed, "\(limit)")
        }
    }

    @Test("is not shared by clients whose settings differ", arguments: versions)
    func settings(_ version: PeerTLSVersion) throws {
        let nginx = try nginx(version)
        let pin = try SettingsFixture.pin(of: authority.rootFile)
        try SettingsFixture.visit(nginx.url(), SettingsFixture.configuration())
        let changes: [(inout ClientSecureSocket) throws -> Void] = [
            { [authority] in $0.cert = .pem(.file(try authority.bundleFile)) },
            { [authority] in $0.cert = .pem(.bytes(try SettingsFixture.bytes(of: authority.rootFile))) },
            { $0.pinnedPublicKeys = [pin] }, { $0.verifyHostName = false }, { $0.serverName = "localhost" },
            { [authority] in $0.certValidation = .crl(.file(try authority.crlFile)) },
            {
                $0.enable = false
                $0.cert = nil
            },
            {
                [authority] in
                let client = try authority.client(.ecdsa)
                $0.key = .pem(certFile: .file(client.chainFile), keyFile: .file(client.privateKeyFile))
            },
        ]
        for (index, change) in changes.enumerated() {
            let configuration = try SettingsFixture.configuration(change)
            #expect(try !SettingsFixture.visit(nginx.url(), configuration).isResumed, "\(index)")
            #expect(try SettingsFixture.visit(nginx.url(), configuration).isResumed, "\(index)")
        }
        // The URL's host is the name to verify.
        let named = nginx.url(host: "localhost")
        #expect(try !SettingsFixture.visit(named, SettingsFixture.configuration()).isResumed)
        // The first one is still there.
        #expect(try SettingsFixture.visit(nginx.url(), SettingsFixture.configuration()).isResumed)
    }

    @Test("does not open a server's certificate that the client would refuse", arguments: versions)
    func unverified(_ version: PeerTLSVersion) throws {
        let nginx = try nginx(version, .unknownRoot)
        let careless = try SettingsFixture.configuration { $0.enable = false }
        #expect(try !SettingsFixture.visit(nginx.url(), careless).isResumed)
        #expect(try SettingsFixture.visit(nginx.url(), careless).isResumed)
        let error = SettingsFixture.refusal(nginx.url(), try SettingsFixture.configuration())
        #expect(error?.code == .ssl && error?.description.contains("unknown root") == true)
    }

    @Test("is not shared between ports", arguments: versions)
    func ports(_ version: PeerTLSVersion) throws {
        let other = try FreePort.find()
        // One server with two ports would resume it.
        let nginx = try nginx(version) { $0.directives = ["listen 127.0.0.1:\(other) ssl;"] }
        let configuration = try SettingsFixture.configuration()
        try SettingsFixture.visit(nginx.url(), configuration)
        let url = "wss://127.0.0.1:\(other)/echo"
        #expect(try !SettingsFixture.visit(url, configuration).isResumed)
        #expect(try SettingsFixture.visit(url, configuration).isResumed)
        #expect(try SettingsFixture.visit(nginx.url(), configuration).isResumed)
    }

    @Test("that the server has forgotten does no harm", arguments: EchoServer.TLS.Version.allCases)
    func forgotten(_ version: EchoServer.TLS.Version) throws {
        let first = try SettingsFixture.echoServer { $0.protocols = [version] }
        let configuration = try SettingsFixture.configuration()
        try SettingsFixture.visit(first.url(), configuration)
        #expect(try SettingsFixture.visit(first.url(), configuration).isResumed)
        first.stop()
        let second = try SettingsFixture.echoServer(port: first.port) { $0.protocols = [version] }
        defer { second.stop() }
        #expect(try TLSSessionCache.shared.count(key(second.url(), configuration), nil) > 0)
        #expect(try !SettingsFixture.visit(second.url(), configuration).isResumed)
        #expect(try SettingsFixture.visit(second.url(), configuration).isResumed)
    }

    @Test("of one version does not force that version on a later connection")
    func otherVersion() throws {
        let first = try SettingsFixture.echoServer { $0.protocols = [.tls12] }
        let configuration = try SettingsFixture.configuration()
        #expect(try SettingsFixture.visit(first.url(), configuration).version == .tls12)
        first.stop()
        let second = try SettingsFixture.echoServer(port: first.port) { $0.protocols = [.tls13] }
        defer { second.stop() }
        #expect(try SettingsFixture.visit(second.url(), configuration).version == .tls13)
        second.stop()
        let third = try SettingsFixture.echoServer(port: first.port) { $0.protocols = [.tls12] }
        defer { third.stop() }
        #expect(try SettingsFixture.visit(third.url(), configuration).version == .tls12)
    }

    @Test("is not resumed by a client that has learned of a revocation", arguments: versions)
    func revoked(_ version: PeerTLSVersion) throws {
        let nginx = try nginx(version, .revoked)
        let folder = try TemporaryFolder("lws-test-sessions")
        // A list that does not know of it, and then those that do.
        let list = folder.file("crl.pem")
        try FileManager.default.copyItem(atPath: authority.rootCRLFile, toPath: list)
        let configuration = try SettingsFixture.configuration { $0.certValidation = .crl(.file(list), .soft) }
        #expect(try !SettingsFixture.visit(nginx.url(), configuration).isResumed)
        #expect(try SettingsFixture.visit(nginx.url(), configuration).isResumed)
        try Data(SettingsFixture.bytes(of: authority.crlFile)).write(to: URL(fileURLWithPath: list))
        let error = SettingsFixture.refusal(nginx.url(), configuration)
        #expect(error?.code == .ssl && error?.description.contains("has been revoked") == true)
    }

    // MARK: - Many

    @Test("is used by several connects at once", arguments: versions)
    func concurrent(_ version: PeerTLSVersion) throws {
        let nginx = try nginx(version)
        let configuration = try SettingsFixture.configuration()
        try SettingsFixture.visit(nginx.url(), configuration)
        let url = nginx.url()
        let visits = try (0..<12).map { _ in try Background { try SettingsFixture.visit(url, configuration) } }
        let infos = try visits.map { try $0.value() }
        #expect(infos.contains { $0.isResumed })
        #expect(try SettingsFixture.visit(url, configuration).isResumed)
        #expect(try TLSSessionCache.shared.count(key(url, configuration), nil) <= TLSSessionCache.perServer)
    }

    @Test("of TLS 1.3 is handed out once, one of TLS 1.2 again and again", arguments: versions)
    func oneUse(_ version: PeerTLSVersion) throws {
        let nginx = try nginx(version)
        let configuration = try SettingsFixture.configuration()
        try SettingsFixture.visit(nginx.url(), configuration)
        let key = try key(nginx.url(), configuration)
        var taken: [TLSSession] = []
        while taken.count < 20, let session = TLSSessionCache.shared.take(key, nil) { taken.append(session) }
        if version == .tls13 {
            // nginx sends two.
            #expect(taken.count == 2 && taken[0] !== taken[1])
            #expect(taken.allSatisfy { $0.isForOneUse })
            #expect(try !SettingsFixture.visit(nginx.url(), configuration).isResumed)
        } else {
            #expect(taken.count == 20 && taken.allSatisfy { $0 === taken[0] && !$0.isForOneUse })
            #expect(try SettingsFixture.visit(nginx.url(), configuration).isResumed)
        }
    }

    @Test(
        "is one of a bounded number in the cache, which forgets the servers it has not heard of for longest",
        arguments: versions)
    func bound(_ version: PeerTLSVersion) throws {
        let nginx = try nginx(version)
        let configuration = try SettingsFixture.configuration()
        try SettingsFixture.visit(nginx.url(), configuration)
        let session = try #require(try TLSSessionCache.shared.take(key(nginx.url(), configuration), nil))
        let cache = TLSSessionCache()
        let keys = try (0..<600).map { try key("wss://host\($0).test/", configuration) }
        for key in keys { for _ in 0..<6 { cache.put(session, key) } }
        #expect(cache.serverCount == TLSSessionCache.servers)
        let perServer = session.isForOneUse ? TLSSessionCache.perServer : 1
        let kept = keys.suffix(TLSSessionCache.servers)
        #expect(kept.allSatisfy { cache.count($0, nil) == perServer })
        #expect(keys.dropLast(TLSSessionCache.servers).allSatisfy { cache.count($0, nil) == 0 })
        // A look for one that is too old frees it.
        for key in kept { #expect(cache.take(key, .zero) == nil) }
        #expect(cache.serverCount == 0)
    }
}
