// What a session is to do, apart from how it connects.

/// What the options of `lwscat URL` say.
struct SessionSettings: Sendable {
    var form = MessageForm.text
    var formatsJSON = false
    /// Whether what happens is told: the handshake, control frames, the close.
    var isVerbose = false
    var isColourWanted = true
    /// Messages to send in place of the input.
    var messages: [String] = []
    /// Whether each line of the input is a message, or all of it is one.
    var splitsLines = true
    var hasCommands = false
    /// How many received messages are enough; `nil`: none are.
    var count: Int?
    /// How long nothing may come after the end of the input, until the connection is closed. `nil`: it stays open.
    var wait: Duration? = .milliseconds(500)
    /// How long the peer has to answer the close frame.
    var closeTimeout = Duration.seconds(5)
}
