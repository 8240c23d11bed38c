// What libFuzzer calls. Built by `make fuzz` alone, with its coverage in all of the package's own code.

import FuzzCases
import LWSServiceLoop
import TestSupport

// Safe: libFuzzer calls from one thread.
nonisolated(unsafe) private let worker = Result { try FuzzWorker(.shared, KeyFiles(.shared)) }

/// The first byte chooses the kind of input, the others its decisions.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ data: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    let bytes = UnsafeBufferPointer(start: data, count: count)
    guard let first = bytes.first else { return 0 }
    let input = FuzzInput.allCases[Int(first) % FuzzInput.allCases.count]
    do {
        try worker.get().run(input, Choices(bytes: bytes.dropFirst()))
    } catch {
        fatalError("\(input.rawValue): \(error)")
    }
    return 0
}
