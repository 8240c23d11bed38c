// A process that has run out of descriptors, or out of threads, for as long as a test wants.

import Foundation
import LWSServiceLoop

@available(macOS, unavailable)
package enum Shortage {
    /// Runs `body` while this process can open `left` descriptors and no more.
    package static func ofDescriptors<Result>(left: Int = 0, _ body: () throws -> Result) throws -> Result {
        let highest = try ProcessMetrics.highestDescriptor()
        let (_, putBack) = try OpenFiles.setLimit(Int(highest) + 1 + left)
        var fillers: [Int32] = []
        defer {
            putBack()
            for filler in fillers { close(filler) }
        }
        // What is free below the limit is taken, but for what shall be left.
        while true {
            let filler = open("/dev/null", O_RDONLY | O_CLOEXEC)
            if filler < 0 { break }
            fillers.append(filler)
        }
        for _ in 0..<left { if let filler = fillers.popLast() { close(filler) } }
        return try body()
    }

    /// Runs `body` while no thread can be started: there is no room for the stack that each would get. Unlike RLIMIT_NPROC,
    /// that goes for a superuser too.
    package static func ofThreads<Result>(_ body: () throws -> Result) throws -> Result {
        typealias Access = @convention(c) (UnsafeMutablePointer<pthread_attr_t>) -> Int32
        guard let getter = dlsym(nil, "pthread_getattr_default_np"),
            let setter = dlsym(nil, "pthread_setattr_default_np")
        else { throw PeerError("no pthread_setattr_default_np") }
        let getDefault = unsafeBitCast(getter, to: Access.self)
        let setDefault = unsafeBitCast(setter, to: Access.self)
        // By pointers: with Foundation in sight, Swift takes the initialiser for one of CDispatch, which cannot be imported.
        let attributes = UnsafeMutablePointer<pthread_attr_t>.allocate(capacity: 2)
        defer { attributes.deallocate() }
        let (before, now) = (attributes, attributes + 1)
        guard getDefault(before) == 0, getDefault(now) == 0 else { throw PeerError("pthread_getattr_default_np") }
        defer {
            _ = setDefault(before)
            pthread_attr_destroy(before)
            pthread_attr_destroy(now)
        }
        guard pthread_attr_setstacksize(now, 1 << 46) == 0, setDefault(now) == 0 else {
            throw PeerError("pthread_setattr_default_np")
        }
        return try body()
    }
}
