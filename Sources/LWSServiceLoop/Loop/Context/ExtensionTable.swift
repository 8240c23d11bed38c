// The extension that lws is given with a vhost.

package import CLibWebSockets

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// One extension in the form that lws reads for as long as the vhost exists; freed with this object.
package final class ExtensionTable {
    /// Whoever makes the table sets the callback of the first.
    package let list: UnsafeMutablePointer<lws_extension>
    /// What lws compares parameters with. It is handed over when an extension begins on a connection.
    package let options: UnsafeMutablePointer<lws_ext_options>
    private let optionCount: Int
    // An entry of zeros ends each table.
    private static let listCount = 2

    /// - Parameter offer: what a client offers.
    package init(
        _ name: String, offer: String? = nil, parameters: [(name: String, type: lws_ext_options_types)]
    ) {
        list = .allocate(capacity: Self.listCount)
        list.initialize(repeating: lws_extension(), count: Self.listCount)
        optionCount = parameters.count + 1
        options = .allocate(capacity: optionCount)
        options.initialize(repeating: lws_ext_options(), count: optionCount)
        for (index, parameter) in parameters.enumerated() {
            options[index] = lws_ext_options(name: UnsafePointer(strdup(parameter.name)), type: parameter.type)
        }
        list[0].name = UnsafePointer(strdup(name))
        if let offer { list[0].client_offer = UnsafePointer(strdup(offer)) }
    }

    deinit {
        for index in 0..<optionCount { free(UnsafeMutableRawPointer(mutating: options[index].name)) }
        free(UnsafeMutableRawPointer(mutating: list[0].name))
        free(UnsafeMutableRawPointer(mutating: list[0].client_offer))
        options.deinitialize(count: optionCount)
        options.deallocate()
        list.deinitialize(count: Self.listCount)
        list.deallocate()
    }
}
