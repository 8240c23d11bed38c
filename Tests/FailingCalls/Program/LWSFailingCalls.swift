// lws-failing-calls: has one call of the system after the other fail while a client lives.

import ArgumentParser
import COpenSSL
import LWSServiceLoop
import LWSWebSocket
import Logging

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

@main
struct LWSFailingCalls: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "lws-failing-calls",
        abstract:
            "Has the first call of a kind fail while a client lives, then the second, until none is left to fail.",
        discussion: """
            A line says for each kind how many there were, and one that begins with WRONG what should not have come of one. \
            With --verbose there is a line for each call: its number, milliseconds, what came of it, and where it was made.
            """)

    @Option(help: "What the client does.")
    var life: Life
    @Option(help: "Which calls fail: memory, system, or one of them, as in socket:EMFILE.")
    var calls = "system"
    @Option(help: "The number of the first that fails.")
    var first = 1
    @Option(help: "That of the last.")
    var last = Int.max
    @Flag(help: "In a process of its own for each call, so that what is set up once fails as well.")
    var anew = false
    @Flag(help: "Tells of each call.")
    var verbose = false
    @OptionGroup var peers: Peers

    func validate() throws {
        guard !chosen.isEmpty else {
            throw ValidationError("calls: \(FailingCall.all.map(\.name).joined(separator: " "))")
        }
    }

    private var chosen: [FailingCall] {
        FailingCall.all.filter { $0.name == calls || calls == ($0.isMemory ? "memory" : "system") }
    }

    func run() throws {
        LoggingSystem.bootstrap { _ in SwiftLogNoOpLogHandler() }
        FailingCall.tellCrashes()
        // What OpenSSL could not set up it never tries again (crypto/init.c: its RUN_ONCEs keep that it has failed).
        OPENSSL_init_ssl(0, nil)
        if anew { for call in chosen { haveFailAnew(call) } } else { haveFail(chosen, first...last) }
        print("complete")
        fflush(nil)
        _exit(0)
    }

    private func haveFail(_ calls: [FailingCall], _ numbers: ClosedRange<Int>) {
        let run = Run(life, peers, isVerbose: verbose)
        for call in calls { run.haveFail(call, numbers) }
        run.finish()
    }

    /// This process has neither started a thread nor used the library.
    private func haveFailAnew(_ call: FailingCall) {
        var bad = 0
        for number in first...last {
            let hasFailed = FailingCall.inChild {
                // Whether anything is left open the other ways tell: for that a loop has to come to its end, which takes a second.
                Run(life, peers, isVerbose: verbose).haveFail(call, number)
            }
            switch hasFailed {
            case true?: continue
            case false?: return print("\(call.name): \(number - 1)")
            case nil:
                print("WRONG \(call.name) \(number): that was the end of its process")
                bad += 1
                if bad == 10 { return }
            }
        }
        print("\(call.name): \(last), and perhaps more")
    }
}
