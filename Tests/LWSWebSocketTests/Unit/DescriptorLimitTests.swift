// What lws is told of the limit of descriptors.

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif
import LWSServiceLoop
import Testing

@testable import LWSWebSocket

@Suite("The limit of a loop's descriptors")
struct DescriptorLimitTests {
    @Test("is another for the moment where lws does not believe the process's own")
    func unbelievable() {
        let own = sysconf(Int32(_SC_OPEN_MAX))
        var inside: Int?
        DescriptorLimit.whileKnown(highest: own - 1, substitute: own - 7) { inside = sysconf(Int32(_SC_OPEN_MAX)) }
        #expect(inside == own - 7 && sysconf(Int32(_SC_OPEN_MAX)) == own)
        DescriptorLimit.whileKnown(highest: own, substitute: own - 7) { inside = sysconf(Int32(_SC_OPEN_MAX)) }
        #expect(inside == own)
        #expect(DescriptorLimit.current == own)
    }
}
