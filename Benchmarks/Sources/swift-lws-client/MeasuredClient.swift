// One client of the library and what it does for each workload.

import CMeasure
import LWSWebSocket

struct MeasuredClient {
    private let client: WebSocketClient
    private let options: bench_options
    private let workload: String
    private let payloads: [[UInt8]]
    private static let turns = 64
    private static let longest = 4096

    /// What the clients of a run have in common, as in an application: made once.
    struct Common {
        let options: bench_options
        fileprivate let configuration: ClientConfiguration
        /// What is sent in turn. Long messages are sent from where they are: as arrays they would fill the caches.
        fileprivate let payloads: [[UInt8]]

        init(_ options: bench_options) {
            self.options = options
            configuration = MeasuredClient.configuration(options)
            let isShort = options.size <= MeasuredClient.longest
            payloads = (0..<(isShort ? MeasuredClient.turns : 0)).map {
                Array(MeasuredClient.payload($0, options.size))
            }
        }
    }

    init(_ common: Common) throws(WebSocketError) {
        options = common.options
        payloads = common.payloads
        let scheme = options.tls ? "wss" : "ws"
        let url = "\(scheme)://\(String(cString: options.host)):\(options.port)\(String(cString: options.path))"
        client = try WebSocketClient(url, configuration: common.configuration)
        workload = String(cString: options.workload)
    }

    private static func configuration(_ options: bench_options) -> ClientConfiguration {
        var configuration = ClientConfiguration()
        configuration.webSocketCompressionEnabled = options.compress
        // Messages are not cut into frames, as with the other peers.
        configuration.maxFrameSize = 2 << 20
        if options.tls {
            var secure = ClientSecureSocket()
            if let ca = options.ca { secure.cert = .pem(.file(String(cString: ca))) }
            secure.shareSession = options.resume
            configuration.secureSocket = secure
        }
        return configuration
    }

    var isResumed: Bool { client.tlsInfo?.isResumed ?? false }

    func close() throws(WebSocketError) { try client.close() }

    func run(_ count: Int) throws(WebSocketError) {
        switch workload {
        case "receive": try receive(count)
        case "send": try send(count)
        default:
            for number in 0..<count {
                try write(number)
                try read(number)
            }
        }
    }

    private func receive(_ count: Int) throws(WebSocketError) {
        try client.writeTextMessage(String(count))
        let ring = bench_ring(options.size)
        for number in 0..<count { try read(number % ring) }
    }

    private func send(_ count: Int) throws(WebSocketError) {
        if options.batch > 1 {
            try sendBatches(count)
        } else {
            for number in 0..<count { try write(number) }
        }
        try client.writeTextMessage("?")
        let counted = try client.readTextMessage()
        let isRight =
            options.compress
            ? counted.hasPrefix("\(count) ") : counted == "\(count) \(count * options.size)"
        if !isRight { bench_fail("the server counted something else: \(counted)") }
    }

    private func sendBatches(_ count: Int) throws(WebSocketError) {
        let messages = (0..<options.batch).map { number in
            WebSocketMessage.binary(Array(Self.payload(number, options.size)))
        }
        var left = count
        while left > 0 {
            try client.writeMessages(left >= messages.count ? messages : Array(messages.prefix(left)))
            left -= messages.count
        }
    }

    private func write(_ number: Int) throws(WebSocketError) {
        if payloads.isEmpty {
            try client.writeBinaryMessage(UnsafeRawBufferPointer(Self.payload(number % Self.turns, options.size)))
        } else {
            try client.writeBinaryMessage(payloads[number % Self.turns])
        }
    }

    private func read(_ number: Int) throws(WebSocketError) {
        let bytes = try client.readBinaryMessage()
        let isRight = bytes.withUnsafeBufferPointer { bytes in
            bench_check(number % Self.turns, bytes.baseAddress, bytes.count, options.size)
        }
        if !isRight { bench_fail("wrong content") }
    }

    private static func payload(_ number: Int, _ size: Int) -> UnsafeBufferPointer<UInt8> {
        UnsafeBufferPointer(start: bench_payload(number, size), count: size)
    }
}
