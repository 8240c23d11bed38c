// One price, and how it is read from a message.

/// A price as the feed sends it: a number that counts up from 0 on each connection, and an amount.
///
/// What the bundled server's `/push/<count>/<size>` sends are no prices: byte `j` of message `i` is `i + j`. They are read as
/// if they were.
struct Tick {
    let number: Int
    let price: Double

    /// `nil` where the message is no tick.
    init?(_ bytes: [UInt8]) {
        guard bytes.count >= 3 else { return nil }
        number = Int(bytes[0])
        price = Double(bytes[1]) + Double(bytes[2]) / 100
    }
}
