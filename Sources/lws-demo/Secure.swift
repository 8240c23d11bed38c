// The same over TLS, with a certificate made for the occasion.

import Foundation
import LWSEchoServer
import LWSWebSocket

/// A server with a certificate, a client that trusts it, and one that does not.
func converseSecurely() throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("lws-demo-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let (certificate, key) = try makeCertificate(in: folder)
    let server = try EchoServer(
        EchoServer.Configuration(tls: EchoServer.TLS(certificateFile: certificate, privateKeyFile: key)))
    show("server", "listening on \(server.url())")

    var configuration = ClientConfiguration()
    configuration.secureSocket = ClientSecureSocket()
    configuration.secureSocket?.cert = .pem(.file(certificate))
    try converse(with: server.url(), configuration)

    let again = try WebSocketClient(server.url(), configuration: configuration)
    show("client", "connected again: the TLS session was \(again.tlsInfo?.isResumed == true ? "" : "not ")resumed")
    for certificate in again.tlsInfo?.peerCertificates ?? [] {
        let names = certificate.alternativeNames.map(\.description).joined(separator: ", ")
        show("  server", "\(certificate), for \(names)")
    }
    try again.close()

    try beRefused(by: server.url())
    configuration.secureSocket?.serverName = "example.com"
    try beRefused(by: server.url(), configuration)
    server.stop()
    show("server", "stopped")
}

/// A certificate for loopback that vouches for itself.
private func makeCertificate(in folder: URL) throws -> (certificate: String, key: String) {
    let certificate = folder.appendingPathComponent("certificate.pem").path
    let key = folder.appendingPathComponent("key.pem").path
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = [
        "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days",
        "1",
        "-subj", "/CN=lws-demo", "-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost", "-keyout", key, "-out",
        certificate,
    ]
    process.standardError = FileHandle.nullDevice
    try process.run()
    process.waitUntilExit()
    guard process.terminationStatus == 0 else { throw CertificateFailure(status: process.terminationStatus) }
    return (certificate, key)
}

private struct CertificateFailure: Error, CustomStringConvertible {
    let status: Int32
    var description: String { "the openssl command made no certificate (exit status \(status)); is it installed?" }
}
