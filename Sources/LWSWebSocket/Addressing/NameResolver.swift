// Names to addresses, off the loop and off the caller.

internal import LWSServiceLoop

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// An address in its numeric form, as `getnameinfo` writes it ("127.0.0.1", "fe80::1%eth0").
struct ResolvedAddress: Sendable, Hashable {
    let numeric: String

    var isIPv6: Bool { NumericAddress(numeric)?.isIPv6 == true }
}

/// What a look-up gave.
enum NameResolution: Sendable {
    /// In the order in which they are to be tried; never empty.
    case addresses([ResolvedAddress])
    /// The system's words.
    case failure(String)
}

/// Looks host names up. The answer comes once, from any thread; it is dropped where the deadline passes before the
/// look-up has begun.
protocol NameResolver: Sendable {
    func resolve(_ host: String, deadline: Deadline, _ answer: @escaping @Sendable (NameResolution) -> Void)
}

/// The system's resolver. `getaddrinfo` blocks for as long as it likes and cannot be interrupted, so it runs on
/// threads of its own, of which there are at most ``maxThreads``; what does not find one waits in line.
final class SystemNameResolver: NameResolver {
    static let shared = SystemNameResolver()
    static let maxThreads = 16

    private let threads = HelperThreads(name: "lws-resolver", most: SystemNameResolver.maxThreads)
    private let lookUp: @Sendable (String) -> NameResolution

    /// - Parameter lookUp: blocks for as long as it likes.
    init(lookUp: @escaping @Sendable (String) -> NameResolution = { SystemNameResolver.addresses(of: $0) }) {
        self.lookUp = lookUp
    }

    func resolve(_ host: String, deadline: Deadline, _ answer: @escaping @Sendable (NameResolution) -> Void) {
        // A numeric address asks nobody, so it is answered on the spot.
        if case .addresses(let addresses) = Self.addresses(of: host, flags: AI_NUMERICHOST) {
            answer(.addresses(addresses))
            return
        }
        threads.run(
            HelperThreads.Job(deadline: deadline) { [lookUp] in
                answer(lookUp(host))
            } refuse: { error in
                answer(.failure("\(error)"))
            })
    }

    static func addresses(of host: String, flags: Int32 = 0) -> NameResolution {
        var hints = addrinfo()
        hints.ai_family = AF_UNSPEC
        #if canImport(Darwin)
            hints.ai_socktype = SOCK_STREAM
        #else
            hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        #endif
        hints.ai_flags = flags
        var list: UnsafeMutablePointer<addrinfo>?
        let status = getaddrinfo(host, nil, &hints, &list)
        defer { if let list { freeaddrinfo(list) } }
        guard status == 0 else {
            // The resolver opens files and sockets, and calls it a failure of the name servers where it cannot.
            let reason = errno
            let words = DescriptorShortage.words ?? (status == EAI_SYSTEM ? SystemReason.words(reason) : nil)
            return .failure(words ?? String(cString: gai_strerror(status)))
        }
        var addresses: [ResolvedAddress] = []
        var entry = list
        while let info = entry?.pointee {
            entry = info.ai_next
            guard let text = numericForm(info.ai_addr, info.ai_addrlen) else { continue }
            let address = ResolvedAddress(numeric: text)
            guard !addresses.contains(address) else { continue }
            addresses.append(address)
        }
        return addresses.isEmpty ? .failure("it has no address") : .addresses(addresses)
    }

    static func numericForm(_ address: UnsafePointer<sockaddr>, _ length: socklen_t) -> String? {
        var buffer = [CChar](repeating: 0, count: Int(NI_MAXHOST))
        let status = getnameinfo(address, length, &buffer, socklen_t(buffer.count), nil, 0, NI_NUMERICHOST)
        guard status == 0 else { return nil }
        let end = buffer.firstIndex(of: 0) ?? buffer.endIndex
        return String(decoding: buffer[..<end].map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}

/// The look-up of what a route goes to first, under way.
struct LookUp: Sendable {
    private let route: Route
    private let answer = Locked<NameResolution?>(nil)

    /// - Parameter answered: called once, from any thread, perhaps before this returns.
    init(
        for route: Route, by resolver: any NameResolver, until deadline: Deadline,
        answered: @escaping @Sendable () -> Void
    ) {
        self.route = route
        if let address = route.fixedAddress {
            answer.withLock { $0 = .addresses([address]) }
            answered()
            return
        }
        resolver.resolve(route.nameToResolve.name, deadline: deadline) { [answer] result in
            answer.withLock { $0 = result }
            answered()
        }
    }

    /// `nil` as long as there is no answer.
    /// - Throws: `connection` where the name cannot be resolved, or to nothing that libwebsockets can go to.
    func addresses() throws(WebSocketError) -> [ResolvedAddress]? {
        switch answer.withLock({ $0 }) {
        case nil: return nil
        case .addresses(let addresses): return try route.usable(addresses)
        case .failure(let reason):
            throw WebSocketError(
                .connection, "\(route.nameToResolve.words) could not be resolved: \(reason)", host: route.url.host)
        }
    }
}
