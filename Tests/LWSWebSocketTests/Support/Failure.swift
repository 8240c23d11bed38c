// The error of a call that has to fail.

@testable import LWSWebSocket

/// The error that `body` throws; `nil` where it throws none.
func failure<Result>(_ body: () throws -> Result) -> WebSocketError? {
    do {
        _ = try body()
        return nil
    } catch {
        return error as? WebSocketError
    }
}
