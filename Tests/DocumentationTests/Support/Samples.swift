// The suite that all samples of the documents belong to.

import Testing

/// The samples, each run in the way its document says. `Tests/Documentation/samples.py` copies them into the documents,
/// and checks that none differs.
///
/// One after the other: they print into one list.
@Suite("Samples of the documents", .serialized)
struct Samples {}
