// One of the keys of a PKCS#12 store, by its name.

internal import COpenSSL

extension PKCS12Store {
    private final class Found {
        var keys: [(name: String?, key: PrivateKey?)] = []
    }

    /// The private key of that name, or the only one. `PKCS12_parse` gives one, whatever its name.
    /// - Parameter alias: the key's `friendlyName`; case counts where it tells two keys apart.
    /// - Throws: the file's error: no PKCS#12, another password, no such key, or several.
    static func key(
        in bytes: [UInt8], alias: String?, password: String, _ file: FieldFile
    ) throws(WebSocketError) -> PrivateKey {
        try opened(bytes, password: password, file) { (store) throws(WebSocketError) in
            let found = Found()
            let length = Int32(clamping: store.password?.utf8.count ?? 0)
            let isWhole = withExtendedLifetime(found) {
                cossl_each_key(
                    store.pointer, store.password, length, Unmanaged.passUnretained(found).toOpaque()
                ) { context, key, name in
                    let key = key.map { PrivateKey(owning: $0) }
                    guard let context else { return }
                    Unmanaged<Found>.fromOpaque(context).takeUnretainedValue().keys
                        .append((name.map { String(cString: $0) }, key))
                }
            }
            let keys = choice(of: found.keys, alias)
            guard let (_, key) = keys.first else {
                // What cannot be decrypted may have it.
                guard isWhole else { return nil }
                throw file.error(alias.map { "has no key with the alias \"\($0)\"" } ?? "has no private key")
            }
            guard keys.count == 1 else {
                throw file.error(
                    alias == nil
                        ? "has several keys, and there is no alias to tell which"
                        : "has several keys with that alias")
            }
            guard let key else { return nil }
            return store.ready(key)
        }
    }

    private static func choice<Key>(of keys: [(name: String?, key: Key)], _ alias: String?) -> [(String?, Key)] {
        guard let alias else { return keys }
        let exact = keys.filter { $0.name == alias }
        // Java's keytool writes names in lower case, and finds them in any.
        return exact.isEmpty ? keys.filter { $0.name?.lowercased() == alias.lowercased() } : exact
    }
}
