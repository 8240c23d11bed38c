// A connection whose socket the loop waits for by itself, in place of lws.

import CLibWebSockets

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// The socket of a connection, from its beginning to its end, and what is to be waited for on it. Lives on the loop.
///
/// lws keeps that to itself, but asks by LWS_CALLBACK_GET_THREAD_ID when it changes (core-net/pollfd.c:
/// `_lws_change_pollfd`), mostly: not where it goes on waiting to write. How that is made use of depends on the connection:
///
/// - While it is being made or ended, whatever happens to the socket has lws look at it, and so does every change of what lws
///   wants: see ``HeldLoop/advance(_:)``.
/// - While it is open, this side knows what lws wants: for reading it does as it is told (`lws_rx_flow_control`). What is
///   wanted in vain costs a callback for writing; what would be missing could wait for ever, so in doubt the socket is waited
///   for. Who waits for it, says ``SocketWait``.
package final class WatchedSocket {
    let connection: OpaquePointer
    let descriptor: Int32
    /// Tells its events from those of another socket that had the same descriptor before it.
    let generation: UInt32
    private unowned let set: SocketSet

    /// Who hears of it when the peer has reset the connection.
    unowned var gate: ReadGate?

    /// Wakes the driver, while there is one.
    var driver: Waker?
    /// What the loop's thread waits for.
    var armed: UInt32 = 0
    /// How often lws has changed what it wants, while the connection was not open.
    var changes: UInt32 = 0
    var wait = SocketWait()
    /// lws is to look at it, for it wants something else.
    var isMarked = false
    var isRegistered = true
    package internal(set) var isOpen = false
    /// It is open or has been.
    var wasOpen = false
    package private(set) var wantsToRead = true
    // lws may have asked for it before anybody listened.
    package private(set) var wantsToWrite = true

    init(_ connection: OpaquePointer, _ generation: UInt32, in set: SocketSet) {
        self.connection = connection
        descriptor = lws_get_socket_fd(connection)
        self.generation = generation
        self.set = set
    }

    // MARK: - How far the connection is

    /// The connection is open; from now on its owner tells what lws wants of the socket: at first to read and to write.
    package func open(_ held: borrowing HeldLoop) { set.open(self) }

    /// The open connection is about to end, and only lws knows how.
    package func end(_ held: borrowing HeldLoop) {
        set.end(self)
        held.core.endWait()
    }

    /// lws is about to close the socket, or has done so.
    package func forget(_ held: borrowing HeldLoop) { set.remove(self) }

    /// lws wants something else of the socket of a connection that is not open.
    package func mark(_ held: borrowing HeldLoop) {
        guard isRegistered, !isOpen else { return }
        set.mark(self)
        held.core.endWait()
    }

    // MARK: - What is wanted of an open one

    /// Whether nobody would notice at once that the peer has ended the connection.
    package var isUnattended: Bool { wait.party == .nobody }

    /// A suspended caller waits for the connection, whom the loop's thread has to serve.
    package func attend(_ held: borrowing HeldLoop) { set.perform(wait.suspendedCallerComes(), self) }

    /// The descriptor may have stood for something else, for which the driver may have begun to wait.
    func descriptorIsBack(_ held: borrowing HeldLoop) { driver?.signal() }

    package func setWantsToRead(_ wants: Bool, _ held: borrowing HeldLoop) {
        guard wants != wantsToRead else { return }
        wantsToRead = wants
        wantsChanged(held)
    }

    package func setWantsToWrite(_ wants: Bool, _ held: borrowing HeldLoop) {
        guard wants != wantsToWrite else { return }
        wantsToWrite = wants
        wantsChanged(held)
    }

    private func wantsChanged(_ held: borrowing HeldLoop) {
        if isOpen { set.perform(wait.wantsChanged(toWrite: wantsToWrite), self) } else { mark(held) }
    }

    /// Whether lws holds something back until the socket takes it.
    var isUnsent: Bool { lws_partial_buffered(connection) != 0 }

    /// As poll(2) has them. A connection that is not open may want to write.
    var events: Int16 { Int16((wantsToRead ? POLLIN : 0) | (wantsToWrite || !isOpen ? POLLOUT : 0)) }
}
