// The calls that can be had fail.

import CFailingCalls

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// A call of the system and the way in which it fails.
struct FailingCall {
    /// As in "socket:EMFILE".
    let name: String
    private let index: Int32

    static let all = (0..<failing_call_count()).map { index in
        let call = failing_call_at(index)
        return FailingCall(name: "\(String(cString: call.name)):\(String(cString: call.error_name))", index: index)
    }

    var isMemory: Bool { name.hasPrefix("malloc:") }

    /// Runs `body`, in which the `number`-th of these calls fails.
    /// - Returns: where that was made; `nil`: there were not so many.
    func failing(_ number: Int, _ body: () -> Void) -> String? {
        failing_calls_begin(index, number)
        body()
        return failing_calls_end() ? String(cString: failing_call_place()) : nil
    }

    /// Runs `body` in a child, and waits for its end. Returns what `body` does; `nil` where the child has ended otherwise, or there
    /// is none.
    static func inChild(_ body: () -> Bool) -> Bool? {
        fflush(nil)
        let child = failing_calls_fork()
        guard child >= 0 else { return nil }
        guard child != 0 else {
            let result = body()
            fflush(nil)
            _exit(result ? 0 : 1)
        }
        switch failing_calls_wait(child) {
        case 0: return true
        case 1: return false
        default: return nil
        }
    }

    /// A crash is told of with the place where it happened.
    static func tellCrashes() { failing_calls_tell_crashes() }
}
