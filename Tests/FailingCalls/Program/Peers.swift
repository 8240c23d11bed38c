// Whom the clients talk to.

import ArgumentParser
import LWSWebSocket

/// Servers in other processes, which lack nothing.
struct Peers: ParsableArguments {
    @Option(help: "An echo server, ws.")
    var plain: String
    @Option(help: "An echo server, wss, by a name.")
    var secure: String
    @Option(help: "The same with a certificate that was revoked.")
    var revoked: String
    @Option(help: "One whose OCSP answers say that its certificate is good, wss.")
    var stapled: String
    @Option(help: "One whose OCSP answers say that it was revoked, wss.")
    var stapledRevoked: String
    @Option(help: "The pin of the former's key.")
    var pin: String
    @Option(
        help: "Sends 20 pings and the text 'pinged' at a time, and how many pongs came when it is sent a text, ws.")
    var pinging: String
    @Option(help: "The same, wss.")
    var pingingSecurely: String
    @Option(help: "The roots that their certificates are of, in a file.")
    var root: String
    @Option(help: "Roots that they are not of, in a file.")
    var otherRoot: String
    @Option(help: "The former in a folder.")
    var rootFolder: String
    @Option(help: "Where TLS keys are written, a file.")
    var keyLog: String
    @Option(help: "The port of a proxy.")
    var proxy: Int
    @Option(help: "An echo server, ws+unix.")
    var unix: String
    @Option(help: "A token endpoint, https, with a certificate of the same roots.")
    var token: String
    @Option(help: "A certificate of a client with its chain, in a file.")
    var certificate: String
    @Option(help: "Its key, in a file.")
    var key: String
    @Option(help: "Both in a store, whose password is 'secret'.")
    var keyStore: String
    @Option(help: "An encrypted EC key for tokens with the same password, in a file.")
    var signingKey: String
    @Option(help: "Revocation lists, in a file.")
    var revocations: String
}
