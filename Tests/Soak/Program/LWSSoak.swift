// lws-soak: many clients, for a long time, with servers that are killed.

import ArgumentParser
import LWSServiceLoop
import Logging
import TestSupport

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

@main
struct LWSSoak: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "lws-soak",
        abstract: "Counts every message of many clients from end to end, while their servers are killed at random.")

    @Option(help: "Seconds.")
    var duration = 3600
    @Option(help: "Clients, of every kind in turn.")
    var clients = 200
    @Option(help: "Seconds between two kills of a server, on the average.")
    var killEvery = 15.0
    @Option(help: "What the messages and the kills are made from.")
    var seed: UInt64 = 1
    @Option(
        help: "Shows that the books are kept: every 1,000th message is counted wrongly (lose, double or reorder).")
    var fault: Tampering?

    func run() throws {
        // A killed server is what this is about; each would say so.
        LoggingSystem.bootstrap { _ in SwiftLogNoOpLogHandler() }
        let servers = [try SoakServer(isSecure: false), try SoakServer(isSecure: true)]
        let soak = Soak()
        var threads: [LoopThread] = []
        for number in 0..<clients {
            let client = SoakClient(number, servers[number % 2], soak, seed: seed, fault)
            threads.append(try LoopThread(name: "soak-\(number)") { client.run() })
        }
        let end = Deadline(after: .seconds(duration))
        let vitals = watch(servers, soak, until: end)
        soak.stop()
        // Those that wait for a message, a connection or a close frame have to notice.
        let allEnded = soak.waitForEnd(of: clients, Deadline(after: .seconds(90)))
        for server in servers { server.kill() }
        let verdicts = vitals.verdicts()
        report(soak, servers, vitals)
        for words in soak.faults { print("FAULT \(words)") }
        for verdict in verdicts { print(verdict.words) }
        if !allEnded { print("FAULT \(clients - soak.ended) clients hang") }
        let isFine = soak.faultCount == 0 && allEnded && verdicts.allSatisfy(\.isFine)
        print(isFine ? "passed" : "FAILED")
        fflush(nil)
        _exit(isFine ? 0 : 1)
    }

    /// Kills servers, samples, and shows how it goes.
    private func watch(_ servers: [SoakServer], _ soak: Soak, until end: Deadline) -> Vitals {
        var vitals = Vitals()
        var choices = SeededGenerator(seed: seed)
        let pause = MonotonicSemaphore()
        var nextKill = Deadline(after: choices.wait(mean: killEvery))
        var nextLine = Deadline(after: .seconds(10))
        while !end.hasPassed, soak.faultCount < 50 {
            _ = pause.wait(until: end.earlier(nextKill).earlier(nextLine))
            if nextKill.hasPassed {
                servers[choices.number(below: servers.count)].restart(after: choices.wait(mean: 0.3), soak)
                nextKill = Deadline(after: choices.wait(mean: killEvery))
            }
            if nextLine.hasPassed {
                vitals.sample()
                report(soak, servers, vitals)
                for words in soak.hangs() { soak.fail(words) }
                nextLine = Deadline(after: .seconds(10))
            }
        }
        return vitals
    }

    private func report(_ soak: Soak, _ servers: [SoakServer], _ vitals: Vitals) {
        let sum = soak.sum
        let kills = servers.map(\.kills).reduce(0, +)
        print(
            "\(vitals.seconds) s: \(sum.returned) messages, \(sum.bytes >> 20) MB, \(sum.connections) connections, "
                + "\(sum.losses) lost, \(sum.missing) messages under way then, \(kills) kills, \(vitals.line), "
                + "\(soak.faultCount) faults")
        fflush(nil)
    }
}
