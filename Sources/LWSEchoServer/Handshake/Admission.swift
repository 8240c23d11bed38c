// Whether a handshake is answered with 101.

import CLibWebSockets
import LWSServiceLoop

/// The questions that a handshake has to answer before lws goes on with it.
///
/// lws itself ends the connection without a word for most of what is wrong with a handshake
/// (roles/ws/server-ws.c: lws_process_ws_upgrade, handshake_0405), so they are asked before.
struct Admission {
    private let subProtocols: [String]
    private let isCompressionEnabled: Bool
    private let isStopping: Bool

    init(_ configuration: EchoServer.Configuration, isStopping: Bool) {
        subProtocols = configuration.subProtocols
        isCompressionEnabled = configuration.isCompressionEnabled
        self.isStopping = isStopping
    }

    /// `nil`: lws may go on with the upgrade.
    func refusal(of wsi: OpaquePointer, upgradeTo kind: [UInt8], _ held: borrowing HeldLoop) -> Refusal? {
        guard !isStopping else { return Refusal(503, "the server is stopping") }
        guard let path = Request.header(WSI_TOKEN_GET_URI, of: wsi, held) else {
            return Refusal(405, "a WebSocket handshake is a GET request", header: ("allow:", "GET"))
        }
        do throws(EchoPath.Failure) {
            let path = try EchoPath(path)
            if case .refuse(let status) = path {
                return Refusal(status, "refused with \(status)", header: ("x-refused-by:", "lws-echo-server"))
            }
        } catch {
            switch error {
            case .unknown: return Refusal(404, "no such path")
            case .malformed(let why): return Refusal(400, why)
            }
        }
        guard String(decoding: kind, as: UTF8.self).lowercased() == "websocket" else {
            return Refusal(426, "this is a WebSocket server", header: ("upgrade:", "websocket"))
        }
        return handshakeRefusal(of: wsi, held)
    }

    /// Whether lws can take these offers. It looks at 255 bytes of them, and copies them all to where the answer begins 384
    /// bytes further on (handshake_0405).
    private func canOffer(_ extensions: [UInt8]) -> Bool {
        let read = isCompressionEnabled ? DeflateOffer.lengthRead(extensions) : extensions.count
        return extensions.count < 380 && read < 250
    }

    private func handshakeRefusal(of wsi: OpaquePointer, _ held: borrowing HeldLoop) -> Refusal? {
        guard Request.header(WSI_TOKEN_VERSION, of: wsi, held) == Array("13".utf8) else {
            return Refusal(426, "the WebSocket version is 13", header: ("sec-websocket-version:", "13"))
        }
        guard Request.header(WSI_TOKEN_KEY, of: wsi, held)?.count == 24 else {
            return Refusal(400, "Sec-WebSocket-Key is missing or not 24 characters")
        }
        guard Request.header(WSI_TOKEN_HOST, of: wsi, held) != nil else { return Refusal(400, "Host is missing") }
        // lws_process_ws_upgrade reads the first two into 128 bytes.
        guard (Request.header(WSI_TOKEN_CONNECTION, of: wsi, held)?.count ?? 0) < 120,
            (Request.header(WSI_TOKEN_PROTOCOL, of: wsi, held)?.count ?? 0) < 120,
            canOffer(Request.header(WSI_TOKEN_EXTENSIONS, of: wsi, held) ?? [])
        else { return Refusal(431, "Connection, Sec-WebSocket-Protocol or -Extensions is too long") }
        guard let offered = Request.header(WSI_TOKEN_PROTOCOL, of: wsi, held) else { return nil }
        let names = offered.split(separator: UInt8(ascii: ",")).map { name in
            String(decoding: name.filter { $0 != UInt8(ascii: " ") && $0 != UInt8(ascii: "\t") }, as: UTF8.self)
        }
        // lws knows no connection without a sub-protocol for a client that has listed some: it would hang up.
        return names.contains(where: subProtocols.contains) ? nil : Refusal(400, "none of the sub-protocols is known")
    }
}
