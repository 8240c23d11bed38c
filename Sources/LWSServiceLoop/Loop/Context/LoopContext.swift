// Context/: one context of libwebsockets, and what it brings along.
//
// Holds: the context with its options, its log, its limits, and the descriptors that it leaves open or has programs inherit.

import CLibWebSockets

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// The lws context of one loop with all that lives on it. Made, used and destroyed by the holder of the loop.
///
/// The context's user pointer is this object, unretained: ``ServiceLoop`` keeps it until `lws_context_destroy` has
/// returned, and lws calls no callback after that.
public final class LoopContext {
    var id: LoopID { LoopID(self) }
    var residents: [ObjectIdentifier: any LoopResident] = [:]
    let timers = LoopTimers()
    let passes = Passes()
    let pausedConnections = PausedConnections()
    /// The sockets that the loop waits for by itself; `nil` where all waiting is lws's.
    private(set) var sockets: SocketSet?
    /// lws has something to do in its next pass that no socket tells of, such as to begin.
    var needsPass = true
    private(set) var lastPass = LoopClock.now
    /// The end of the wait for sockets that is under way, unless it has been interrupted.
    var waitsUntil: LoopClock.Instant?
    private var context: OpaquePointer?
    private var eventPipe: EventPipe?
    private var holder: pthread_t?
    /// Ends a wait inside lws when a timer of the loop is due.
    private let alarm: UnsafeMutablePointer<clws_alarm>

    /// Bytes of the buffer that lws writes a handshake request to and reads sockets through. lws's default of
    /// 4096 would bound the request's size (`lws_generate_client_handshake` writes into it).
    package static let serviceBufferSize = 65536
    /// Bytes of headers that lws takes for one handshake, request and answer together. An unsigned short in lws.
    package static let headerLimit: UInt16 = 32768

    init() {
        alarm = .allocate(capacity: 1)
        alarm.initialize(to: clws_alarm())
    }

    deinit {
        precondition(context == nil, "a loop's context outlived its holder")
        alarm.deallocate()
    }

    var pointer: OpaquePointer {
        guard let context else { preconditionFailure("the loop has ended") }
        return context
    }

    /// Makes the lws context. Vhosts are made by the residents.
    func create(_ options: LoopOptions) throws(LoopError) {
        // Before anything is handed to it.
        if let objection = LibraryRelease.current.objection { throw .library(objection) }
        var info = lws_context_creation_info()
        info.options = clws_option_explicit_vhosts | clws_option_no_text_check
        info.port = clws_port_no_listen
        info.pt_serv_buf_size = UInt32(Self.serviceBufferSize)
        info.max_http_header_data = Self.headerLimit
        // max_http_header_pool stays 0: as many handshakes may be under way as there may be descriptors (core/context.c:
        // lws_create_context). Those above it would wait inside lws, for their time too, while others hang. lws takes the
        // memory of each when it begins.
        if let seconds = options.timeoutSeconds { info.timeout_secs = seconds }
        info.user = Unmanaged.passUnretained(self).toOpaque()
        LWSLog.install()
        let reserve = EventPipe.Reserve()
        var failure: Int32 = 0
        Self.tls.withLock { tls in
            let startsTLS = options.usesTLS && !tls.isSetUp
            let keeps = startsTLS && clws_ends_openssl()
            if !clws_survives_missing_pipe(), let shortage = EventPipe.shortage(contexts: keeps ? 2 : 1) {
                return failure = shortage
            }
            if keeps {
                tls.keeper = Self.keepOpenSSL()
            } else if startsTLS {
                info.options |= clws_option_ssl_global_init
            }
            errno = 0
            createContext(&info)
            failure = errno
            if startsTLS && context != nil { tls.isSetUp = true }
        }
        guard let made = context else {
            reserve.release()
            throw .context(errno: failure)
        }
        eventPipe = EventPipe(of: made, reserve)
        RouteSocket.keepFromPrograms()
        errno = 0
        if options.watchesSockets { sockets = SocketSet() }
        let reason = errno
        let canBeWoken = Self.canBeWoken(made)
        guard canBeWoken, sockets != nil || !options.watchesSockets else {
            // Where others have taken meanwhile what was to be had for the pipe, the context is lost in place of the process.
            if canBeWoken || clws_survives_missing_pipe() { destroyContext() } else { context = nil }
            throw .context(errno: reason)
        }
    }

    /// Whether lws has a descriptor to be woken by. It goes on without one where the system has none left
    /// (core-net/vhost.c: lws_create_event_pipes), and nothing handed over would be seen while it waits.
    private static func canBeWoken(_ context: OpaquePointer) -> Bool {
        errno = 0
        // Writes to the descriptor -1 then (plat/unix/unix-pipe.c: lws_plat_pipe_signal).
        lws_cancel_service(context)
        return errno != EBADF
    }

    private struct TLS {
        /// A context of this process has set up OpenSSL.
        var isSetUp = false
        /// A context that is never destroyed.
        var keeper: OpaquePointer?
    }

    /// One context alone may set up OpenSSL: 4.1 takes new places for its data in OpenSSL's objects each time, for all
    /// contexts (tls/openssl/openssl-tls.c: lws_context_init_ssl_library), and then does not find what it has put into
    /// those that are there. It leaks them, or falls over a NULL connection while a certificate is verified. Vhosts have
    /// the same option, and it is that one which gives them TLS.
    ///
    /// The lock also has contexts made one after the other, or one would keep the other's idea of SIGPIPE.
    private static let tls = Locked(TLS())

    /// For the releases of lws that end OpenSSL for the whole process when the context that has set it up is destroyed
    /// (lws_context_deinit_ssl_library): nobody could use TLS after that, neither a later context nor the application.
    private static func keepOpenSSL() -> OpaquePointer? {
        var info = lws_context_creation_info()
        info.options = clws_option_explicit_vhosts | clws_option_ssl_global_init
        info.port = clws_port_no_listen
        // Its own descriptors are all that it needs.
        info.fd_limit_per_thread = 4
        var keeper: OpaquePointer?
        preserveSIGPIPE { keeper = lws_create_context(&info) }
        return keeper
    }

    private func createContext(_ info: inout lws_context_creation_info) {
        Self.preserveSIGPIPE {
            DescriptorLimit.whileKnown { context = lws_create_context(&info) }
        }
        guard let context else { return }
        clws_have_thread_asked(context)
        clws_keep_log_count(context)
    }

    private static func preserveSIGPIPE(_ body: () -> Void) {
        // lws sets SIGPIPE to ignored for the whole process (core/context.c: lws_plat_init). That is the
        // application's to decide; this library needs no SIGPIPE handling of its own, see LoopThread.
        var before = sigaction()
        sigaction(SIGPIPE, nil, &before)
        body()
        sigaction(SIGPIPE, &before, nil)
    }

    /// Whether there is a context: between ``create(_:)`` and ``destroy(_:)``.
    var isAlive: Bool { context != nil }

    /// The longest that lws is without a pass. What it does by timers of its own, such as a look at the age of certificates
    /// once a day, is so much late at the most.
    private static let longestWait = Duration.seconds(60)
    /// The same while connections are being made or ended, to whose steps lws gives seconds.
    var longestUnsettledWait = Duration.seconds(1)

    /// When lws gets a pass in any case.
    private var nextPass: LoopClock.Instant {
        lastPass + (sockets?.unsettled ?? 0 > 0 ? longestUnsettledWait : Self.longestWait)
    }

    var isPassDue: Bool { LoopClock.now >= nextPass }

    /// How long the loop's thread is to wait now at the most, in milliseconds, rounded up.
    func planWait() -> Int32 {
        let end = min(timers.earliest ?? nextPass, nextPass)
        waitsUntil = end
        return Int32(clamping: (max(end - LoopClock.now, .zero).microseconds + 999) / 1000)
    }

    /// lws is about to look at everything.
    func beginPass(_ held: borrowing HeldLoop) {
        passes.begin(held)
        needsPass = false
        lastPass = LoopClock.now
    }

    /// Ends that wait where a timer was armed meanwhile that is due before.
    func hastenWait() {
        guard let earliest = timers.earliest, let end = waitsUntil, earliest < end else { return }
        endWait()
    }

    /// Ends it in any case.
    func endWait() {
        guard waitsUntil != nil else { return }
        waitsUntil = nil
        sockets?.waker.signal()
    }

    /// Has a wait inside lws end when the next timer of the loop is due.
    func setAlarm() {
        clws_cancel_alarm(alarm)
        guard let earliest = timers.earliest else { return }
        clws_set_alarm(alarm, context, max(earliest - LoopClock.now, .zero).microseconds)
    }

    func destroy(_ held: borrowing HeldLoop) {
        clws_cancel_alarm(alarm)
        for resident in residents.values { resident.loopEnds(held) }
        destroyContext()
        residents = [:]
        sockets = nil
    }

    private func destroyContext() {
        // lws still calls back for every connection meanwhile.
        lws_context_destroy(context)
        context = nil
        eventPipe?.close()
        eventPipe = nil
    }

    /// Makes the current thread the loop's holder for as long as `body` runs.
    func hold<Result, Failure: Error>(
        _ body: (borrowing HeldLoop) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        beginHolding()
        defer { endHolding() }
        return try body(HeldLoop(.passUnretained(self)))
    }

    func beginHolding() {
        precondition(holder == nil, "a service loop has one holder at a time")
        holder = pthread_self()
    }

    func endHolding() { holder = nil }

    /// Runs a callback of lws, which calls only from inside `lws_service` and the other functions that the
    /// holder calls: the current thread holds the loop already.
    ///
    /// The context's user pointer leads back here, so that a trampoline needs nothing but what lws hands it.
    @inlinable
    public static func callback<Result>(
        of connection: OpaquePointer?, _ body: (borrowing HeldLoop) -> Result
    ) -> Result? {
        guard let core = calledBack(connection) else { return nil }
        return body(HeldLoop(core))
    }

    /// The one whose holder lws calls back; `nil` where there is nothing to do yet.
    @usableFromInline
    static func calledBack(_ connection: OpaquePointer?) -> Unmanaged<LoopContext>? {
        guard let connection, let user = lws_context_user(lws_get_context(connection)) else { return nil }
        let core = Unmanaged<LoopContext>.fromOpaque(user)
        return core._withUnsafeGuaranteedRef { $0.isCalledBack() } ? core : nil
    }

    /// Whether there is anything to do yet: lws calls back while lws_create_context still runs.
    private func isCalledBack() -> Bool {
        guard context != nil, let holder else { return false }
        precondition(pthread_equal(holder, pthread_self()) != 0, "lws called back on a thread without its loop")
        // What comes next may fail for another reason.
        if HeldLoop.lacksMemory { passes.lacksMemory = true }
        return true
    }
}
