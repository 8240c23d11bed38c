// Whether a sanitizer is linked in.

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// Sanitizers keep memory of their own, so that a process's size says nothing about the code under test.
package enum Sanitizer {
    package static let isActive = ["__tsan_init", "__asan_init"].contains { (name: String) in dlsym(nil, name) != nil
    }
}
