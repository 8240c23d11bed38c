// One connection of the benchmark's server, and the parts that work on it.

#ifndef SERVER_H
#define SERVER_H

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct buffer {
    uint8_t *bytes;
    size_t start, end, capacity;
} buffer;

enum behaviour { echo, sink, blast };

// Frames that are ready to be sent again and again: the messages of a ring one after the other, from any of which on
// sending can go on.
typedef struct blast_block {
    size_t size;        // of one message
    bool compressed;
    uint8_t *bytes;
    size_t messages;
    size_t *offsets;    // where each message begins; one more than there are messages
    struct blast_block *next;
} blast_block;

typedef struct connection {
    int descriptor;
    SSL *tls;
    bool accepted;              // TLS is up
    bool open;                  // the handshake is over
    bool compressed;
    bool ending;                // ends when `out` is sent
    bool blocked;               // nothing is read until `out` is sent
    uint32_t interest;          // what epoll was asked for
    enum behaviour behaviour;
    buffer in;                  // the handshake, and the head of a frame that is not there yet
    buffer out;
    // The frame that is being read
    uint64_t left;
    uint8_t mask[4], opcode, head;
    unsigned mask_at;
    buffer small;               // payload of a control frame or of a message that asks for something
    // What was counted, for /sink
    uint64_t messages, bytes;
    bool in_text, deflated;     // of the message that is being read
    // What is to be sent, for /blast
    const blast_block *block;
    struct z_stream_s *inflater;
    size_t default_count, left_messages, at_message, at_byte;
} connection;

// buffer.c
void append(buffer *buffer, const void *bytes, size_t count);
uint8_t *reserve(buffer *buffer, size_t count); // room for so many bytes at the end
void clear(buffer *buffer);

// handshake.c: answers the request that begins in `in`. Returns how many bytes it had, 0 where it is not complete.
size_t answer_handshake(connection *connection, const uint8_t *bytes, size_t count);
// frames.c: works on what was received. False where the connection has to end.
bool take_frames(connection *connection, uint8_t *bytes, size_t count);
void append_head(connection *connection, uint8_t first, uint64_t length);
// blast.c
const blast_block *find_block(size_t size, bool compressed);
// Begins to send what a message asks for.
void start_blast(connection *connection, const uint8_t *request, size_t count);
void end_blast(connection *connection);
// The next bytes to send. `sent` moves on.
const uint8_t *next_blast(connection *connection, size_t *count);
void sent_blast(connection *connection, size_t count);

#endif
