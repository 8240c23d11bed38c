// The calls that can be had fail.

import CFailingCalls

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

    /// A crash is told of with the place where it happened.
    static func tellCrashes() { failing_calls_tell_crashes() }
}
