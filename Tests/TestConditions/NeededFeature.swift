// What a test needs of libwebsockets, which may have been built without. Apart from TestSupport, which programs use that are no
// tests and have no Testing.

package import LWSServiceLoop
package import Testing

extension Trait where Self == ConditionTrait {
    package static var needsCompression: Self { needs(.compression) }
    package static var needsIPv6: Self { needs(.ipv6) }
    package static var needsUnixSockets: Self { needs(.unixSockets) }

    private static func needs(_ feature: LibraryFeature) -> Self {
        .enabled(if: feature.isPresent, "\(feature.absence)")
    }

    /// Skips the test where libwebsockets has it, as most have.
    package static func lacks(_ feature: LibraryFeature) -> Self {
        .disabled(if: feature.isPresent, "libwebsockets was built with \(feature.name)")
    }
}

/// Arguments of a test that is played without compression, and with it where there is some.
package let compressionOffAndOn: [Bool] = LibraryFeature.compression.isPresent ? [false, true] : [false]
