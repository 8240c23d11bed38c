// OpenSSL/: OpenSSL's objects.
//
// Holds: certificates, private keys, the stores they come in, signatures of tokens with their public settings, and OpenSSL's
// errors in words. With TLS/ the only room that sees OpenSSL.
// Used by: Configuration, Auth, TLS.
// Uses: Errors, Files; COpenSSL, LWSServiceLoop.

internal import COpenSSL
internal import LWSServiceLoop

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// OpenSSL itself.
enum OpenSSLLibrary {
    /// Has OpenSSL not end itself when the process exits, unless somebody has used it before: the loop's thread may be in
    /// the midst of it then. To be called before anything else of it; once is enough.
    static func prepare() { _ = isPrepared }

    private static let isPrepared = OPENSSL_init_ssl(UInt64(OPENSSL_INIT_NO_ATEXIT), nil) == 1
}

/// One entry of OpenSSL's queue of errors, of which each thread has its own.
struct OpenSSLError {
    private let code: UInt

    /// The number of an error of TLS itself (`SSL_R_...`); 0 for others.
    var reason: Int32 { cossl_is_of_ssl(code) ? cossl_reason(code) : 0 }

    /// Text was read that has no block in PEM form, or no further one.
    var isEndOfPEM: Bool { cossl_is_no_start_line(code) }

    /// OpenSSL does not have the algorithm, or has it elsewhere.
    var isUnsupported: Bool { cossl_is_unsupported(code) }

    /// "certificate verify failed", "bad decrypt".
    var words: String { ERR_reason_error_string(code).map { String(cString: $0) } ?? "error \(code)" }

    /// What the last call of this thread has left, the first cause first. Leaves the queue as it is.
    static var first: OpenSSLError? {
        let code = ERR_peek_error()
        return code == 0 ? nil : OpenSSLError(code: code)
    }

    /// What the last call of this thread has left, nearest to the caller.
    static var last: OpenSSLError? {
        let code = ERR_peek_last_error()
        return code == 0 ? nil : OpenSSLError(code: code)
    }

    /// Whether the last call of this thread has failed for want of memory, as far as it tells.
    static var isShortage: Bool { [first, last].contains { $0.map { cossl_is_shortage($0.code) } ?? false } }

    /// Runs calls of OpenSSL with a queue that is empty before, and empty again afterwards.
    static func scope<Result, Failure: Error>(_ body: () throws(Failure) -> Result) throws(Failure) -> Result {
        ERR_clear_error()
        defer { ERR_clear_error() }
        return try body()
    }

    /// The same for what is set up: where the memory for some of it is missing the error says so, and is worth another try.
    /// OpenSSL takes that for whatever it was about ("bad decrypt", "no start line"), or goes on without what it could not make.
    /// - Parameter code: the error's where there is none otherwise.
    static func settingUp<Result>(
        _ code: WebSocketError.Code = .ssl, _ body: () throws(WebSocketError) -> Result
    ) throws(WebSocketError) -> Result {
        ERR_clear_error()
        // One may be inside another.
        let before = errno
        errno = 0
        defer {
            ERR_clear_error()
            if !HeldLoop.lacksMemory { errno = before }
        }
        let result: Result
        do throws(WebSocketError) { result = try body() } catch {
            throw isShortage || HeldLoop.lacksMemory ? error.forWantOfMemory : error
        }
        guard !isShortage, !HeldLoop.lacksMemory else {
            throw WebSocketError(code, "OpenSSL could not be set up").forWantOfMemory
        }
        return result
    }
}
