// What a directory holds.

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// The names in a directory.
package enum DirectoryNames {
    /// In the system's order, with those that begin with a dot; `nil` where the directory cannot be opened, with the reason in
    /// `errno`.
    package static func list(_ path: String) -> [String]? {
        guard let directory = opendir(path) else { return nil }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            names.append(
                withUnsafePointer(to: &entry.pointee.d_name) {
                    $0.withMemoryRebound(to: CChar.self, capacity: Int(NAME_MAX) + 1) { String(cString: $0) }
                })
        }
        return names
    }
}
