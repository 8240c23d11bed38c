// What every client in C, C++ and Swift shares: the command line, the payload, the clocks, and the line of results.

#ifndef MEASURE_H
#define MEASURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct bench_options {
    const char *workload; // roundtrip, receive, send, connect, idle, beside
    const char *url;
    const char *host;
    const char *path;     // of the URL; where it has none, the workload's: /echo, /sink, /blast/<size>/<count>
    const char *ca;       // the certificate that wss is verified against
    int port;
    bool tls;
    bool compress;
    bool resume;          // connect: resume the TLS session of the connection before
    bool events;          // nio: event-driven, instead of a thread that blocks
    bool uv;              // raw libwebsockets: on libuv, instead of its own poll
    size_t size;          // bytes of a message
    size_t count;         // messages to measure, of each client; connections for connect
    size_t warmup;        // messages before that
    size_t clients;
    size_t batch;         // send: messages in one call
} bench_options;

// Exits with 2 where the command line is not understood.
bench_options bench_parse(int argc, char *const *argv);

// The bytes of message `number`: a window into one fixed text of 16 different characters, which deflate halves.
// Message and number tell each other apart, so that an echo can be checked. The pointer stays valid.
const uint8_t *bench_payload(size_t number, size_t size);
// Whether these are the bytes of message `number`: all of them for every 64th message, else the ends.
bool bench_check(size_t number, const uint8_t *bytes, size_t count, size_t size);

// The same for a message that comes in pieces, of which this one begins at `offset`.
bool bench_check_piece(size_t number, size_t offset, const uint8_t *bytes, size_t count, size_t size);

// How many different messages of this size /blast sends in turn: its message n is message n % ring.
size_t bench_ring(size_t size);

// What a server of `send` has to say of `count` messages.
size_t bench_report(char *text, size_t capacity, size_t count, size_t size);

// Around what is measured. Between the two no threads should end: their times would be lost from the list by thread,
// though not from the sum.
void bench_start(void);
void bench_stop(void);

// Resident memory of the process in bytes, and how many threads it has.
size_t bench_memory(void);
size_t bench_threads(void);

// Runs `work` in so many threads at once: first all of them to warm up, then, measured, all of them again.
void bench_in_threads(size_t threads, void (*work)(size_t index, bool measured, void *context), void *context);

// Calls `work` for each index below `count`, in so many threads at once, which have ended when this returns.
void bench_spread(size_t count, size_t threads, void (*work)(size_t index, void *context), void *context);

// One of many times, of which the line of results has the median, the 99th percentile and the longest.
void bench_sample(double seconds);
double bench_now(void);
// A further number for the line of results.
void bench_note(const char *name, double value);
// Prints the line of results: `operations` is what the time is divided by.
void bench_print(const bench_options *options, double operations);
// Says on standard error what was wrong and exits with 1.
void bench_fail(const char *what) __attribute__((noreturn));
// Raises the limit of open files to what is allowed.
void bench_raise_limits(void);

#ifdef __cplusplus
}
#endif

#endif
