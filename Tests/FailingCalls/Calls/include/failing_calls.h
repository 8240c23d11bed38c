// Calls of the system, and of malloc, that a program has fail: its own, and those of the libraries that it talks to the network
// with. The program that is linked with this has them all pass through here, its libraries' as well (ELF: what a program
// defines comes before what its libraries do).

#ifndef SWIFT_LWS_FAILING_CALLS_H
#define SWIFT_LWS_FAILING_CALLS_H

#include <stdbool.h>
#include <sys/types.h>

/// A call and the way in which it is to fail.
struct failing_call {
    const char *name;
    /// In errno, or returned where the call returns its error.
    int error;
    const char *error_name;
};

int failing_call_count(void);
struct failing_call failing_call_at(int index);

/// Has the call with that index fail once: the `number`-th time that it is made from now on, counted from 1. Calls are counted
/// only where libwebsockets, OpenSSL, zlib or the program's own code makes them, not where Swift's libraries or libc do. Memory
/// counts where those libraries ask for it: Swift ends a process that has none.
void failing_calls_begin(int index, long number);

/// No call fails any more.
/// - Returns: whether one has.
bool failing_calls_end(void);

/// Where the call was made that has failed: the names of the functions, or offsets in the object, innermost first.
const char *failing_call_place(void);

/// A fork, whose child goes on with one thread; 0 in the child.
pid_t failing_calls_fork(void);

/// Waits for a child's end.
/// - Returns: its exit code, or 128 and the number of the signal that has ended it.
int failing_calls_wait(pid_t child);

/// Has the program write, on standard output, where it was when it crashes, or an alarm goes off, and which call it was that failed.
void failing_calls_tell_crashes(void);

#endif
