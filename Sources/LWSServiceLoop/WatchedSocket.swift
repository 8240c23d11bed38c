// A connection whose socket the loop waits for by itself, in place of lws.

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// The socket of an open connection, and what lws would wait for on it. Lives on the loop.
///
/// lws keeps that to itself, but asks by LWS_CALLBACK_GET_THREAD_ID whenever it changes (core-net/pollfd.c:
/// `_lws_change_pollfd`), and for reading it does as it is told (`lws_rx_flow_control`). What is wanted in vain costs a
/// callback for writing; what would be missing could wait for ever, so in doubt the socket is waited for.
///
/// Who waits for it, says ``SocketWait``.
package final class WatchedSocket {
    let descriptor: Int32
    /// Tells its events from those of another socket that had the same descriptor before it.
    let generation: UInt32
    private unowned let set: SocketSet

    /// What to do when the peer has reset the connection and lws has not ended it, for nobody reads.
    var whenHungUp: ((borrowing HeldLoop) -> Void)?

    package private(set) var wantsToRead = true
    // lws may have asked for it before anybody listened.
    package private(set) var wantsToWrite = true
    var wait = SocketWait()
    /// Wakes the driver, while there is one.
    var driver: Waker?
    /// What the loop's thread waits for.
    var armed: UInt32 = 0
    var isRegistered = true

    init(_ descriptor: Int32, _ generation: UInt32, in set: SocketSet) {
        self.descriptor = descriptor
        self.generation = generation
        self.set = set
    }

    /// Whether nobody would notice at once that the peer has ended the connection.
    package var isUnattended: Bool { wait.party == .nobody }

    /// A suspended caller waits for the connection, whom the loop's thread has to serve.
    package func attend(_ held: borrowing HeldLoop) { set.perform(wait.suspendedCallerComes(), self) }

    package func setWantsToRead(_ wants: Bool, _ held: borrowing HeldLoop) {
        guard wants != wantsToRead else { return }
        wantsToRead = wants
        set.perform(wait.wantsChanged(toWrite: wantsToWrite), self)
    }

    package func setWantsToWrite(_ wants: Bool, _ held: borrowing HeldLoop) {
        guard wants != wantsToWrite else { return }
        wantsToWrite = wants
        set.perform(wait.wantsChanged(toWrite: wantsToWrite), self)
    }

    /// As poll(2) has them.
    var events: Int16 { Int16((wantsToRead ? POLLIN : 0) | (wantsToWrite ? POLLOUT : 0)) }
}
