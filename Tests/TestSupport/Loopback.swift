// Listening and connecting sockets on loopback.

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// The few socket calls that the peers need, with the differences between the systems taken out.
enum Loopback {
    #if canImport(Darwin)
        private static let stream = SOCK_STREAM
    #else
        private static let stream = Int32(SOCK_STREAM.rawValue)
    #endif

    /// A listening socket, by default on a port that the system chooses.
    static func listen(
        on host: String, port wanted: Int = 0, backlog: Int32 = 128
    ) throws -> (descriptor: Int32, port: Int) {
        try withAddress(of: host, port: wanted) { address, family in
            let descriptor = try socket(family: family)
            do {
                guard bind(descriptor, address.pointee.ai_addr, address.pointee.ai_addrlen) == 0 else {
                    throw PeerError("bind to \(host)")
                }
                #if canImport(Darwin)
                    let status = Darwin.listen(descriptor, backlog)
                #else
                    let status = Glibc.listen(descriptor, backlog)
                #endif
                guard status == 0 else { throw PeerError("listen on \(host)") }
                return (descriptor, try port(of: descriptor))
            } catch {
                close(descriptor)
                throw error
            }
        }
    }

    /// A connected socket.
    static func connect(host: String, port: Int) throws -> Int32 {
        try withAddress(of: host, port: port) { address, family in
            let descriptor = try socket(family: family)
            #if canImport(Darwin)
                let status = Darwin.connect(descriptor, address.pointee.ai_addr, address.pointee.ai_addrlen)
            #else
                let status = Glibc.connect(descriptor, address.pointee.ai_addr, address.pointee.ai_addrlen)
            #endif
            guard status == 0 else {
                let error = PeerError("connect to \(host):\(port)")
                close(descriptor)
                throw error
            }
            return descriptor
        }
    }

    /// A socket that is connecting, whether anybody answers or not.
    static func beginConnect(host: String, port: Int) throws -> Int32 {
        try withAddress(of: host, port: port) { address, family in
            let descriptor = try socket(family: family)
            _ = fcntl(descriptor, F_SETFL, O_NONBLOCK)
            #if canImport(Darwin)
                _ = Darwin.connect(descriptor, address.pointee.ai_addr, address.pointee.ai_addrlen)
            #else
                _ = Glibc.connect(descriptor, address.pointee.ai_addr, address.pointee.ai_addrlen)
            #endif
            return descriptor
        }
    }

    /// Whether somebody accepts connections there.
    static func accepts(host: String, port: Int) -> Bool {
        guard let descriptor = try? connect(host: host, port: port) else { return false }
        close(descriptor)
        return true
    }

    /// Keeps a descriptor out of the programs that this process starts, and writing to it from raising SIGPIPE.
    static func makePrivate(_ descriptor: Int32) {
        _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
        #if canImport(Darwin)
            var on: Int32 = 1
            setsockopt(descriptor, SOL_SOCKET, SO_NOSIGPIPE, &on, socklen_t(MemoryLayout<Int32>.size))
        #endif
    }

    /// Makes each read fail that gets nothing for so long.
    static func limitReads(of descriptor: Int32, toSeconds seconds: Int) {
        var limit = timeval(tv_sec: seconds, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
    }

    private static func socket(family: Int32) throws -> Int32 {
        #if canImport(Darwin)
            let descriptor = Darwin.socket(family, stream, 0)
        #else
            let descriptor = Glibc.socket(family, stream, 0)
        #endif
        guard descriptor >= 0 else { throw PeerError("socket") }
        makePrivate(descriptor)
        return descriptor
    }

    private static func withAddress<Result>(
        of host: String, port: Int, _ body: (UnsafeMutablePointer<addrinfo>, Int32) throws -> Result
    ) throws -> Result {
        var hints = addrinfo()
        hints.ai_socktype = stream
        var list: UnsafeMutablePointer<addrinfo>?
        let status = getaddrinfo(host, String(port), &hints, &list)
        guard status == 0, let list else { throw PeerError("no address for \(host) (getaddrinfo: \(status))") }
        defer { freeaddrinfo(list) }
        return try body(list, list.pointee.ai_family)
    }

    static func peerAddress(of descriptor: Int32) -> String? {
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        var name = [CChar](repeating: 0, count: Int(NI_MAXHOST))
        let status = withUnsafeMutablePointer(to: &storage) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                guard getpeername(descriptor, address, &length) == 0 else { return Int32(-1) }
                return getnameinfo(address, length, &name, socklen_t(name.count), nil, 0, NI_NUMERICHOST)
            }
        }
        return status == 0
            ? String(decoding: name.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self) : nil
    }

    private static func port(of descriptor: Int32) throws -> Int {
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let status = withUnsafeMutableBytes(of: &storage) { bytes in
            getsockname(descriptor, bytes.baseAddress?.assumingMemoryBound(to: sockaddr.self), &length)
        }
        guard status == 0 else { throw PeerError("getsockname") }
        // The port lies at the same place, two bytes in, for both families, in network order.
        return withUnsafeBytes(of: storage) { Int($0[2]) << 8 | Int($0[3]) }
    }
}
