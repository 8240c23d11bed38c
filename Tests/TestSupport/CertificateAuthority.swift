// A certificate authority for tests: root, intermediate, and the certificates that they issue.

import Foundation

/// Makes certificates with the `openssl` command, when they are asked for, in a folder that goes with this object.
///
/// A root issues an intermediate, and that all leaves of servers and clients, unless something else is said. Keys are
/// EC P-256, unless something else is said. What has been made is kept, so asking again costs nothing. Every name
/// that ends in "File" is the path of a file, and stays valid as long as the authority or one of its identities is
/// held. All calls are safe from any thread and block for the few 10 ms that the command takes; RSA keys take longer.
///
///     let authority = try CertificateAuthority.shared
///     let nginx = try NginxServer(upstream: server.port, identity: authority.server(.good))
///     // The client trusts authority.rootFile and connects to nginx.url().
package final class CertificateAuthority: Sendable {
    /// The subject's common names of the two.
    package static let rootName = "Test Root"
    package static let intermediateName = "Test Intermediate"

    let folder: TemporaryFolder
    let root: CertificateIssuer
    let intermediate: CertificateIssuer
    /// What has been made is recognised by its file; whoever looks for it, or makes it, holds this.
    let lock = NSRecursiveLock()

    package init() throws {
        folder = try TemporaryFolder("lws-test-authority")
        root = try CertificateIssuer(
            rootIn: folder.url.appendingPathComponent("root"), subject: "/CN=\(Self.rootName)")
        intermediate = try CertificateIssuer(
            in: folder.url.appendingPathComponent("intermediate"), subject: "/CN=\(Self.intermediateName)",
            issuedBy: root)
    }

    private static let sharedResult: Result<CertificateAuthority, any Error> = Result {
        let authority = try CertificateAuthority()
        // A static is never deinitialised. A process that crashes leaves the folder behind.
        atexit { try? CertificateAuthority.sharedResult.get().folder.remove() }
        return authority
    }

    /// One for the whole process, made at the first call. Its folder is removed when the process exits.
    package static var shared: CertificateAuthority {
        get throws { try sharedResult.get() }
    }

    /// The root's certificate, in PEM: what a client trusts.
    package var rootFile: String { root.certificateFile }

    /// The intermediate's certificate, in PEM.
    package var intermediateFile: String { intermediate.certificateFile }

    /// A root that has nothing to do with the other, and that no client trusts.
    func otherRoot() throws -> CertificateIssuer {
        try once("other-root") { place in
            try CertificateIssuer(rootIn: URL(fileURLWithPath: place), subject: "/CN=Other Root")
        } existing: { place in
            CertificateIssuer(existingIn: URL(fileURLWithPath: place))
        }
    }

    /// Its certificate, in PEM.
    package var otherRootFile: String {
        get throws { try otherRoot().certificateFile }
    }

    // MARK: Making things once

    /// Makes a file or folder with a name, where it is not there yet. What `make` leaves behind where it fails is
    /// removed.
    @discardableResult
    func once<Value>(
        _ name: String, _ make: (String) throws -> Value, existing: (String) throws -> Value
    ) throws -> Value {
        try lock.withLock {
            let place = folder.file(name)
            if folder.has(name) { return try existing(place) }
            do {
                return try make(place)
            } catch {
                try? FileManager.default.removeItem(atPath: place)
                throw error
            }
        }
    }

    /// The same for a file, whose path it returns.
    func file(_ name: String, _ make: (String) throws -> Void) throws -> String {
        try once(name) { place in
            try make(place)
            return place
        } existing: {
            $0
        }
    }

    /// Writes the files' contents one after the other into another.
    func join(_ files: [String], into output: String) throws {
        let parts = try files.map { try Data(contentsOf: URL(fileURLWithPath: $0)) }
        try Data(parts.joined()).write(to: URL(fileURLWithPath: output))
    }
}
