// How much of libwebsockets' own log is shown.

public import Logging
internal import LWSServiceLoop

/// libwebsockets' own log, which goes to a swift-log `Logger` labelled `lws`.
///
/// There is one for the whole process, as libwebsockets has only one. Errors and warnings are on unless you say
/// otherwise. Everything that goes wrong is on the ``WebSocketError`` as well, so an application may turn it off.
public enum LibwebsocketsLog {
    /// Chooses the lowest level that is passed on. What is below costs nothing: libwebsockets does not even format
    /// it. `.info` and `.debug` are many lines per message, with header fields and payload in them.
    public static func setLevel(_ level: Logger.Level) { LWSLog.setLevel(level) }
}
