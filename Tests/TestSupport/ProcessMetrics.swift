// What the system knows about this process: descriptors, threads, memory.

import CHeap
import Foundation
import LWSServiceLoop

/// Counts for the tests that look for leaks. Linux only: /proc tells it all.
@available(macOS, unavailable)
package enum ProcessMetrics {
    /// Open descriptors of this process, less the one that counting them takes.
    package static func openDescriptors() throws -> Int { try entries("/proc/self/fd") - 1 }

    /// The highest of them.
    package static func highestDescriptor() throws -> Int32 {
        let all = try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").compactMap(Int32.init)
        // The one that looking took is gone again.
        return all.filter { fcntl($0, F_GETFD) >= 0 }.max() ?? 2
    }

    /// The sockets that are connected to a port of this machine.
    package static func sockets(toPort port: Int) throws -> [Int32] {
        try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").compactMap(Int32.init).filter {
            var address = sockaddr_in()
            var length = socklen_t(MemoryLayout<sockaddr_in>.size)
            let descriptor = $0
            let status = withUnsafeMutablePointer(to: &address) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { getpeername(descriptor, $0, &length) }
            }
            return status == 0 && Int(UInt16(bigEndian: address.sin_port)) == port
        }
    }

    /// Threads of this process.
    package static func threads() throws -> Int { try entries("/proc/self/task") }

    /// Threads of this process that have this name, of which the system keeps 15 bytes.
    package static func threads(named name: String) throws -> Int {
        try FileManager.default.contentsOfDirectory(atPath: "/proc/self/task").count { thread in
            firstBytes(of: "/proc/self/task/\(thread)/comm") == Array(name.utf8.prefix(15)) + [0x0a]
        }
    }

    /// Not by Foundation, which leaks its buffer where the thread ends between opening and reading.
    private static func firstBytes(of path: String) -> [UInt8] {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return [] }
        defer { close(file) }
        var bytes = [UInt8](repeating: 0, count: 64)
        let count = read(file, &bytes, bytes.count)
        return Array(bytes.prefix(max(0, count)))
    }

    /// Bytes of this process that are in memory.
    package static func residentMemory() throws -> Int {
        let fields = try String(contentsOfFile: "/proc/self/statm", encoding: .utf8).split(separator: " ")
        guard fields.count > 1, let pages = Int(fields[1]) else { throw PeerError("unexpected /proc/self/statm") }
        return pages * Int(sysconf(Int32(_SC_PAGESIZE)))
    }

    /// Bytes that malloc has handed out and not got back, to some 10 KB.
    package static func heapInUse() -> Int { heap_bytes_in_use() }

    /// Blocks that malloc has handed out and not got back, exactly; `nil` under a sanitizer, which has its own.
    package static func blocksInUse() -> Int? {
        let count = heap_blocks_in_use()
        return count < 0 ? nil : count
    }

    /// Runs `body` while Swift Testing does not note what is thrown, which takes blocks.
    package static func withoutNotesOfErrors(_ body: () throws -> Void) rethrows {
        let handler = heap_exchange_throw_handler(nil)
        defer { heap_exchange_throw_handler(handler) }
        try body()
    }

    private static func entries(_ folder: String) throws -> Int {
        try FileManager.default.contentsOfDirectory(atPath: folder).count
    }
}

/// Looks at `condition` every few milliseconds until it holds, at most for `limit`, which is no statement about how long it
/// may take. Returns whether it did.
///
/// Only for observing things of the operating system that nobody announces, such as the numbers of threads and
/// descriptors. Everything else has a call that blocks until it happens.
package func eventually(within limit: Duration = Timing.ages, _ condition: () throws -> Bool) rethrows -> Bool {
    let deadline = Deadline(after: limit)
    let never = MonotonicSemaphore()
    while try !condition() {
        if deadline.hasPassed { return false }
        _ = never.wait(until: deadline.earlier(Deadline(after: .milliseconds(5))))
    }
    return true
}
