// The suite that all samples of the documents belong to.

import LWSWebSocket
import Testing

/// The samples, each run in the way its document says. `Tests/Documentation/samples.py` copies them into the documents,
/// and checks that none differs.
///
/// One after the other: they print into one list.
@Suite("Samples of the documents", .serialized)
struct Samples {
    /// Runs a sample, and a few times more where it throws an error of this code: its time limits are as short as a reader
    /// wants to see them, and something has to be done in them, for which a busy machine may take longer.
    static func again(after code: WebSocketError.Code, _ sample: () throws -> Void) throws {
        for _ in 0..<8 {
            do {
                return try sample()
            } catch let error as WebSocketError where error.code == code {
                _ = Printed.take()
            }
        }
        try sample()
    }
}
