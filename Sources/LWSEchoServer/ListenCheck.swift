// What lws would refuse without saying why, found out beforehand.

internal import LWSServiceLoop

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// Looks at a configuration before lws does: `lws_create_vhost` answers with nothing but NULL.
///
/// What is found here may have changed when lws looks itself; then the error is less exact, never missing.
enum ListenCheck {
    /// - Parameter missing: what libwebsockets has not.
    static func validate(
        _ configuration: EchoServer.Configuration, missing: [LibraryFeature] = LibraryFeature.missing
    ) throws(EchoServerError) {
        guard (0...65535).contains(configuration.port) else { throw .invalidPort(configuration.port) }
        var seen: Set<String> = []
        for name in configuration.subProtocols {
            // lws copies an offered name into 64 bytes (roles/ws/server-ws.c: lws_process_ws_upgrade).
            guard (1...63).contains(name.utf8.count), name.utf8.allSatisfy(isTokenCharacter),
                seen.insert(name).inserted
            else { throw .invalidSubProtocol(name) }
        }
        try checkListening(configuration.host, configuration.port, missing)
        if let tls = configuration.tls {
            guard !tls.protocols.isEmpty else { throw .noTLSVersion }
            try checkReadable(tls.certificateFile)
            try checkReadable(tls.privateKeyFile)
            if let file = tls.clientCertificateAuthority { try checkReadable(file) }
        }
    }

    static func isIPv6(_ host: String) -> Bool { host.contains(":") }

    /// RFC 9110, section 5.6.2.
    private static func isTokenCharacter(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "z"): true
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): true
        default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
        }
    }

    private static func checkReadable(_ path: String) throws(EchoServerError) {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw .unreadableFile(path: path, reason: SystemReason.words(errno)) }
        defer { close(descriptor) }
        // A folder can be opened.
        var byte: UInt8 = 0
        guard read(descriptor, &byte, 1) >= 0 else {
            throw .unreadableFile(path: path, reason: SystemReason.words(errno))
        }
    }

    /// Whether a PEM file says of itself that it is encrypted, in its first line (RFC 5958) or its second (RFC 1421).
    static func isEncrypted(_ path: String) -> Bool {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        var start = [UInt8](repeating: 0, count: 4096)
        let count = read(descriptor, &start, start.count)
        return String(decoding: start.prefix(max(count, 0)), as: UTF8.self).contains("ENCRYPTED")
    }

    private static func checkListening(
        _ host: String, _ port: Int, _ missing: [LibraryFeature]
    ) throws(EchoServerError) {
        var hints = addrinfo()
        hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE
        #if canImport(Darwin)
            hints.ai_socktype = SOCK_STREAM
        #else
            hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        #endif
        var found: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(host, String(port), &hints, &found) == 0, let address = found else {
            throw .invalidHost(host)
        }
        defer { freeaddrinfo(address) }
        guard !isIPv6(host) || !missing.contains(.ipv6) else {
            throw .cannotListen(host: host, port: port, reason: LibraryFeature.ipv6.absence)
        }
        let info = address.pointee
        let descriptor = socket(info.ai_family, info.ai_socktype, info.ai_protocol)
        guard descriptor >= 0 else { throw .cannotListen(host: host, port: port, reason: SystemReason.words(errno)) }
        defer { close(descriptor) }
        // The options that lws sets itself, so that the answer is the one it will get.
        var yes: Int32 = 1
        let size = socklen_t(MemoryLayout<Int32>.size)
        setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &yes, size)
        if isIPv6(host) { setsockopt(descriptor, Int32(IPPROTO_IPV6), IPV6_V6ONLY, &yes, size) }
        guard bind(descriptor, info.ai_addr, info.ai_addrlen) == 0 else {
            let code = errno
            if code == EADDRINUSE { throw .portInUse(host: host, port: port) }
            throw .cannotListen(host: host, port: port, reason: SystemReason.words(code))
        }
    }
}
