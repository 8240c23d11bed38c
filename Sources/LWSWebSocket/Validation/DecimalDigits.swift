// How many digits a number has.

/// The digits of a number before and after its decimal point, those that count.
struct DecimalDigits: Equatable {
    let integer: Int
    let fraction: Int

    /// From the text of a number as Swift writes it: `-12.50`, `1e-05`. `nil` where it is none: `inf`, `nan`.
    init?(_ text: String) {
        let parts = text.split(separator: "e", maxSplits: 1, omittingEmptySubsequences: false)
        guard let mantissa = parts.first, let exponent = parts.count > 1 ? Int(parts[1]) : 0 else { return nil }
        let unsigned = mantissa.drop { $0 == "-" || $0 == "+" }
        let halves = unsigned.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        guard let whole = halves.first, !whole.isEmpty else { return nil }
        let broken = halves.count > 1 ? halves[1] : ""
        let digits = Array(whole.utf8) + Array(broken.utf8)
        guard digits.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }) else { return nil }
        let zero = UInt8(ascii: "0")
        guard let first = digits.firstIndex(where: { $0 != zero }), let last = digits.lastIndex(where: { $0 != zero })
        else {
            integer = 0
            fraction = 0
            return
        }
        let point = whole.utf8.count + exponent
        integer = max(0, point - first)
        fraction = max(0, last + 1 - point)
    }
}
