// A real TLS server of another make: Debian's nginx.

import Foundation

/// `nginx` on a free port of loopback, which ends TLS and passes everything on, upgrades included, to a WebSocket
/// server without TLS. Its configuration, logs and temporary files are in a folder that goes with it.
package final class NginxServer: Sendable {
    /// What its TLS is like.
    package struct TLS: Sendable {
        /// Versions that it agrees to.
        package var versions: Set<PeerTLSVersion> = [.tls12, .tls13]
        /// OpenSSL's cipher list, for TLS 1.2 and older. The default's level 0 allows weak keys and old versions.
        package var ciphers = "DEFAULT:@SECLEVEL=0"
        /// The suites of TLS 1.3, such as "TLS_AES_128_GCM_SHA256", with colons between; `nil`: OpenSSL's.
        package var tls13Suites: String?
        /// Asks clients for certificates of these roots (PEM), and answers 400 to those without, after the handshake.
        package var clientTrustFile: String?
        /// An OCSP answer (DER) that it staples to its certificate, whatever the answer says.
        package var stapleFile: String?
        /// Session tickets (with TLS 1.3 what resumption rests on, unless there is a cache).
        package var ticketsEnabled = true
        /// A cache of sessions on the server's side.
        package var sessionCacheEnabled = true
        /// For how long a session can be resumed.
        package var sessionTimeout: Duration = .seconds(300)
        /// Further directives for nginx's `server` block, each with its semicolon.
        package var directives: [String] = []

        package init() {}
    }

    package let port: Int
    private let host: String
    private let process: PeerProcess
    private let folder: TemporaryFolder

    /// Starts the server and returns when it listens.
    /// - Parameters:
    ///   - upstream: the port on 127.0.0.1 that it passes everything on to. Whether somebody listens there shows in
    ///     its answers alone: 502 where nobody does.
    ///   - identity: its certificate and key.
    ///   - certificateFile: what it sends instead of the identity's `chainFile`: PEM, the leaf first.
    ///   - host: the address that it listens on, "127.0.0.1" or "::1".
    ///   - configure: changes what its TLS is like.
    package init(
        upstream: Int, identity: TestIdentity, certificateFile: String? = nil, host: String = "127.0.0.1",
        configure: (inout TLS) -> Void = { _ in }
    ) throws {
        let places = ["/usr/sbin", "/usr/bin", "/usr/local/bin", "/opt/homebrew/bin"]
        guard let program = places.map({ $0 + "/nginx" }).first(where: { access($0, X_OK) == 0 }) else {
            throw PeerError("nginx is missing: run `make test-deps` first")
        }
        var tls = TLS()
        configure(&tls)
        let lines = Self.lines(
            tls, certificateFile ?? identity.chainFile, identity.privateKeyFile, upstream: upstream)
        let folder = try TemporaryFolder("lws-test-nginx")
        (process, port) = try Self.start(program, lines, folder, host: host, attempts: 5)
        self.folder = folder
        self.host = host
    }

    deinit { stop() }

    /// It does not tell which port it got where it is given 0, so a port is looked for first, and another one where
    /// somebody was faster.
    private static func start(
        _ program: String, _ lines: [String], _ folder: TemporaryFolder, host: String, attempts: Int
    ) throws -> (PeerProcess, Int) {
        let port = try FreePort.find(host: host)
        let address = host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
        let file = try folder.write(
            configuration(lines + ["listen \(address) ssl;"], folder), to: "nginx.conf")
        // -e: until the configuration is read it would write to the system's log.
        let process = try PeerProcess(program, ["-p", folder.path, "-e", "stderr", "-c", file])
        do {
            try process.waitUntilListening(on: port, host: host)
            return (process, port)
        } catch {
            guard attempts > 1, process.output.contains("bind()") else { throw error }
            return try start(program, lines, folder, host: host, attempts: attempts - 1)
        }
    }

    private static func lines(_ tls: TLS, _ certificate: String, _ key: String, upstream: Int) -> [String] {
        let versions = tls.versions.sorted().map(\.rawValue).joined(separator: " ")
        var lines = [
            "ssl_certificate \(certificate);",
            "ssl_certificate_key \(key);",
            "ssl_protocols \(versions);",
            "ssl_ciphers \(tls.ciphers);",
            "ssl_session_tickets \(tls.ticketsEnabled ? "on" : "off");",
            "ssl_session_cache \(tls.sessionCacheEnabled ? "shared:tests:1m" : "off");",
            "ssl_session_timeout \(tls.sessionTimeout.components.seconds)s;",
            "location / { proxy_pass http://127.0.0.1:\(upstream); }",
        ]
        if let suites = tls.tls13Suites { lines.append("ssl_conf_command Ciphersuites \(suites);") }
        if let file = tls.clientTrustFile {
            lines += ["ssl_client_certificate \(file);", "ssl_verify_client on;", "ssl_verify_depth 3;"]
        }
        if let file = tls.stapleFile { lines += ["ssl_stapling on;", "ssl_stapling_file \(file);"] }
        return lines + tls.directives
    }

    private static func configuration(_ server: [String], _ folder: TemporaryFolder) -> String {
        let kinds = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        let temporary = kinds.map { "    \($0)_temp_path \(folder.file($0));" }.joined(separator: "\n")
        // One process: a master would be killed without its worker, which then lives on.
        return """
            daemon off;
            master_process off;
            pid \(folder.file("nginx.pid"));
            error_log stderr info;
            events { worker_connections 512; }
            http {
                access_log off;
            \(temporary)
                proxy_http_version 1.1;
                proxy_set_header Host $http_host;
                proxy_set_header Upgrade $http_upgrade;
                proxy_set_header Connection "Upgrade";
                proxy_buffering off;
                proxy_read_timeout 1h;
                proxy_send_timeout 1h;
                client_max_body_size 0;
                server {
                    \(server.joined(separator: "\n        "))
                }
            }

            """
    }

    /// An address to connect to.
    /// - Parameter host: a name or address that leads to where it listens; by default that address itself.
    package func url(_ path: String = "/echo", host: String? = nil) -> String {
        let name = host ?? self.host
        return "wss://\(name.contains(":") ? "[\(name)]" : name):\(port)\(path)"
    }

    /// Its log, at level "info": failed handshakes are in it, with OpenSSL's words.
    package var log: String { process.output }

    /// Waits until a line of its log contains `text`.
    package func waitForLog(_ text: String) throws { try process.waitForOutput(text) }

    /// Ends the server. Its connections end with it.
    package func stop() {
        process.stop()
        folder.remove()
    }
}
