// A value of a configuration in JSON, read as what its field asks for.

/// A value of the file with the way to it, which errors name.
struct ConfigurationField {
    let name: String
    let value: JSONValue
    private let path: String

    init(_ value: JSONValue, _ path: String, name: String = "") {
        self.value = value
        self.path = path
        self.name = name
    }

    var isNull: Bool { value.isNull }
    var isArray: Bool { value.arrayValue != nil }
    var isObject: Bool { value.objectValue != nil }

    /// In the order of their names, so that of two mistakes always the same is reported.
    func members() throws(WebSocketError) -> [ConfigurationField] {
        guard let object = value.objectValue else { throw expected("an object") }
        return object.sorted { $0.key < $1.key }.map { name, value in
            ConfigurationField(value, "\(path).\(name)", name: name)
        }
    }

    /// The members, all of which have one of these names.
    func members(among names: [String]) throws(WebSocketError) -> [ConfigurationField] {
        let fields = try members()
        if let field = fields.first(where: { !names.contains($0.name) }) { throw field.unknown(among: names) }
        return fields
    }

    /// The same with the cases of an enumeration.
    func members<Name: RawRepresentable<String> & CaseIterable>(
        of names: Name.Type
    ) throws(WebSocketError) -> [(member: Name, field: ConfigurationField)] {
        try members(among: names.allCases.map(\.rawValue)).compactMap { field in
            Name(rawValue: field.name).map { ($0, field) }
        }
    }

    func elements() throws(WebSocketError) -> [ConfigurationField] {
        guard let array = value.arrayValue else { throw expected("an array") }
        return array.enumerated().map { ConfigurationField($0.element, "\(path)[\($0.offset)]") }
    }

    func string() throws(WebSocketError) -> String {
        guard let string = value.stringValue else { throw expected("a string") }
        return string
    }

    func bool() throws(WebSocketError) -> Bool {
        guard let bool = value.boolValue else { throw expected("true or false") }
        return bool
    }

    func integer() throws(WebSocketError) -> Int {
        guard let integer = value.intValue else { throw expected("a whole number") }
        return integer
    }

    /// Seconds; `nil` for none.
    func timeout() throws(WebSocketError) -> Duration? {
        if isNull { return nil }
        guard let seconds = value.doubleValue, seconds < 1e9 else { throw expected("a number of seconds") }
        guard seconds >= 0 else {
            guard seconds == -1 else { throw expected("a number of seconds, or -1 for none") }
            return nil
        }
        return .seconds(seconds)
    }

    /// Seconds, where there has to be a number of them.
    func seconds() throws(WebSocketError) -> Duration {
        guard let seconds = value.doubleValue, (0..<1e9).contains(seconds) else {
            throw expected("a number of seconds")
        }
        return .seconds(seconds)
    }

    func number() throws(WebSocketError) -> Double {
        guard let number = value.doubleValue else { throw expected("a number") }
        return number
    }

    func retryConfig() throws(WebSocketError) -> WebSocketRetryConfig {
        var retry = WebSocketRetryConfig()
        for (member, field) in try members(of: RetryName.self) {
            switch member {
            case .maxCount: retry.maxCount = try field.integer()
            case .interval: retry.interval = try field.seconds()
            case .backOffFactor: retry.backOffFactor = try field.number()
            case .maxWaitInterval: retry.maxWaitInterval = try field.seconds()
            }
        }
        return retry
    }

    func cookie() throws(WebSocketError) -> Cookie {
        var (name, value, path) = (String?.none, String?.none, String?.none)
        for (member, field) in try members(of: CookieName.self) {
            switch member {
            case .name: name = try field.string()
            case .value: value = try field.string()
            case .path: path = field.isNull ? nil : try field.string()
            }
        }
        guard let name, let value else { throw expected("an object with name and value") }
        return Cookie(name: name, value: value, path: path)
    }

    func compression() throws(WebSocketError) -> CompressionOptions {
        var options = CompressionOptions()
        for (member, field) in try members(of: CompressionName.self) {
            switch member {
            case .serverNoContextTakeover: options.serverNoContextTakeover = try field.bool()
            case .clientNoContextTakeover: options.clientNoContextTakeover = try field.bool()
            case .serverMaxWindowBits: options.serverMaxWindowBits = field.isNull ? nil : try field.integer()
            case .clientMaxWindowBits: options.clientMaxWindowBits = field.isNull ? nil : try field.integer()
            case .level: options.level = try field.integer()
            }
        }
        return options
    }

    func proxy() throws(WebSocketError) -> Proxy {
        if value.stringValue == "environment" { return .environment }
        guard value.objectValue != nil else { throw expected("an object, or \"environment\"") }
        var (host, port) = (String?.none, Int?.none)
        var (username, password) = (String?.none, String?.none)
        for (member, field) in try members(of: ProxyName.self) {
            switch member {
            case .host: host = try field.string()
            case .port: port = try field.integer()
            case .username: username = field.isNull ? nil : try field.string()
            case .password: password = field.isNull ? nil : try field.string()
            }
        }
        guard let host, let port else { throw expected("an object with host and port") }
        return Proxy(host: host, port: port, username: username, password: password)
    }

    private func unknown(among names: [String]) -> WebSocketError {
        let hint = NearestName.of(name, among: names).map { "; did you mean \($0)?" } ?? ""
        return WebSocketError(.invalidArgument, "\(path): there is no such field\(hint)")
    }

    /// The field belongs to another kind of object than the one that has a member by the name of `mark`.
    func misplaced(beside mark: String) -> WebSocketError {
        WebSocketError(.invalidArgument, "\(path): does not go with \(mark)")
    }

    func expected(_ what: String) -> WebSocketError {
        // Of an object it is the members that are not as they should be.
        let found = isObject && what.hasPrefix("an object with") ? "" : ", found \(kind)"
        return WebSocketError(.invalidArgument, "\(path): expected \(what)\(found)")
    }

    private var kind: String {
        switch value {
        case .null: "null"
        case .bool: "true or false"
        case .integer, .number: "a number"
        case .string: "a string"
        case .array: "an array"
        case .object: "an object"
        }
    }

    private enum RetryName: String, CaseIterable {
        case maxCount, interval, backOffFactor, maxWaitInterval
    }

    private enum CookieName: String, CaseIterable {
        case name, value, path
    }

    private enum CompressionName: String, CaseIterable {
        case serverNoContextTakeover, clientNoContextTakeover, serverMaxWindowBits, clientMaxWindowBits, level
    }

    private enum ProxyName: String, CaseIterable {
        case host, port, username, password
    }
}

// MARK: - What somebody may have meant who wrote a name that is unknown

enum NearestName {
    /// The known name that looks most like `name`: written in other letters, or with few changes, or the only one that has
    /// all of it. `nil` where none does.
    static func of(_ name: String, among known: [String]) -> String? {
        let wanted = Array(name.lowercased())
        let measured = known.map { (name: $0, changes: changes(from: wanted, to: Array($0.lowercased()))) }
        // Of short names few letters are like any other name.
        if let best = measured.min(by: { $0.changes < $1.changes }), best.changes <= wanted.count / 3 {
            return best.name
        }
        let longer = known.filter { wanted.count >= 4 && $0.lowercased().contains(name.lowercased()) }
        return longer.count == 1 ? longer[0] : nil
    }

    /// How many letters have to be put in, taken out, replaced or exchanged with the next (the optimal string alignment
    /// distance).
    private static func changes(from: [Character], to: [Character]) -> Int {
        var before: [Int] = []
        var row = Array(0...to.count)
        for (i, letter) in from.enumerated() {
            var next = [i + 1]
            for (j, other) in to.enumerated() {
                var least = min(row[j] + (letter == other ? 0 : 1), row[j + 1] + 1, next[j] + 1)
                if i > 0, j > 0, letter == to[j - 1], from[i - 1] == other { least = min(least, before[j - 1] + 1) }
                next.append(least)
            }
            (before, row) = (row, next)
        }
        return row[to.count]
    }
}
