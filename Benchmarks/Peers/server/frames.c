// Frames (RFC 6455, section 5) as the benchmark's server reads them: an echo goes out as it comes in, frame by frame
// and piece by piece. A compressed frame is not inflated: sent back as it came, it says the same to the peer's
// inflater, which then has seen the same bytes before it as ours would have.

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server.h"

enum { fin = 0x80, rsv1 = 0x40, text_opcode = 1, close_opcode = 8, ping_opcode = 9, pong_opcode = 10 };

void append_head(connection *connection, uint8_t first, uint64_t length) {
    uint8_t head[10] = {first};
    size_t size = 2;
    if (length < 126) head[1] = (uint8_t)length;
    else if (length < 65536) {
        head[1] = 126;
        head[2] = (uint8_t)(length >> 8);
        head[3] = (uint8_t)length;
        size = 4;
    } else {
        head[1] = 127;
        for (int at = 0; at < 8; at++) head[2 + at] = (uint8_t)(length >> (56 - 8 * at));
        size = 10;
    }
    append(&connection->out, head, size);
}

static void unmask(connection *connection, uint8_t *to, const uint8_t *from, size_t count) {
    uint8_t turned[8];
    for (unsigned at = 0; at < 8; at++) turned[at] = connection->mask[(connection->mask_at + at) % 4];
    uint64_t word, mask;
    memcpy(&mask, turned, 8);
    size_t at = 0;
    for (; at + 8 <= count; at += 8) {
        memcpy(&word, from + at, 8);
        word ^= mask;
        memcpy(to + at, &word, 8);
    }
    for (; at < count; at++) to[at] = from[at] ^ turned[at % 8];
    connection->mask_at = (unsigned)((connection->mask_at + count) % 4);
}

// Compressed where that was agreed, as a block that is stored (RFC 7692, section 7.2.3.3): libwebsockets 4.1 delivers
// a message that is not compressed again and again.
static void append_text(connection *connection, const char *text, size_t count) {
    const uint8_t stored[] = {0, (uint8_t)count, 0, (uint8_t)~count, 0xff};
    if (connection->compressed) {
        append_head(connection, fin | rsv1 | text_opcode, sizeof stored + count + 1);
        append(&connection->out, stored, sizeof stored);
        append(&connection->out, text, count);
        append(&connection->out, "", 1);
    } else {
        append_head(connection, fin | text_opcode, count);
        append(&connection->out, text, count);
    }
}

// Whether the frame's payload is looked at: of control frames, and of messages that ask for something.
static bool is_kept(const connection *connection) {
    return connection->opcode >= 8 || connection->behaviour == blast
        || (connection->behaviour == sink && connection->in_text);
}

static void end_of_frame(connection *connection) {
    buffer *small = &connection->small;
    size_t count = small->end - small->start;
    const uint8_t *bytes = small->bytes + small->start;
    if (connection->opcode >= 8) {
        if (connection->opcode == close_opcode || connection->opcode == ping_opcode) {
            append_head(connection, fin | (connection->opcode == ping_opcode ? pong_opcode : close_opcode), count);
            append(&connection->out, bytes, count);
        }
        if (connection->opcode == close_opcode) connection->ending = true;
    } else if (connection->head & fin) {
        if (connection->behaviour == blast) {
            start_blast(connection, bytes, count);
        } else if (connection->behaviour == sink && connection->in_text) {
            char text[64];
            int length = snprintf(text, sizeof text, "%llu %llu", (unsigned long long)connection->messages,
                                  (unsigned long long)connection->bytes);
            append_text(connection, text, (size_t)length);
            connection->messages = connection->bytes = 0;
        } else connection->messages++;
    }
    if (connection->opcode >= 8 || connection->head & fin) clear(small);
}

// Reads the head of a frame. Returns its length, 0 where it is not complete, -1 where it breaks a rule.
static int take_head(connection *connection, const uint8_t *bytes, size_t count) {
    if (count < 6) return 0;
    if (!(bytes[1] & 0x80)) return -1;
    int size = (bytes[1] & 127) == 126 ? 8 : (bytes[1] & 127) == 127 ? 14 : 6;
    if (count < (size_t)size) return 0;
    uint64_t length = bytes[1] & 127;
    if (size > 6) {
        length = 0;
        for (int at = 2; at < size - 4; at++) length = length << 8 | bytes[at];
    }
    connection->head = bytes[0];
    connection->opcode = bytes[0] & 15;
    if (connection->opcode == 1 || connection->opcode == 2) {
        connection->in_text = connection->opcode == text_opcode;
        connection->deflated = connection->head & rsv1;
    }
    if (connection->head & 0x30 || (connection->head & rsv1 && !connection->compressed)) return -1;
    memcpy(connection->mask, bytes + size - 4, 4);
    connection->mask_at = 0;
    connection->left = length;
    if (is_kept(connection)) {
        if (length > 4096) return -1;
    } else if (connection->behaviour == echo) append_head(connection, connection->head, length);
    return size;
}

static void take_payload(connection *connection, uint8_t *bytes, size_t count) {
    if (is_kept(connection)) {
        unmask(connection, reserve(&connection->small, count), bytes, count);
        connection->small.end += count;
    } else if (connection->behaviour == echo) {
        unmask(connection, reserve(&connection->out, count), bytes, count);
        connection->out.end += count;
    } else connection->bytes += count;
    connection->left -= count;
}

bool take_frames(connection *connection, uint8_t *bytes, size_t count) {
    while (count > 0 && !connection->ending) {
        if (connection->left == 0) {
            // A head that comes in pieces is put together in `in`.
            size_t had = connection->in.end - connection->in.start;
            size_t more = count < 14 - had ? count : 14 - had;
            const uint8_t *head = bytes;
            if (had > 0) {
                append(&connection->in, bytes, more);
                head = connection->in.bytes + connection->in.start;
            }
            int size = take_head(connection, head, had > 0 ? had + more : count);
            if (size < 0) return false;
            if (size == 0) {
                if (had == 0) append(&connection->in, bytes, count);
                return true;
            }
            clear(&connection->in);
            bytes += (size_t)size - had;
            count -= (size_t)size - had;
        }
        size_t part = connection->left < count ? (size_t)connection->left : count;
        take_payload(connection, bytes, part);
        bytes += part;
        count -= part;
        if (connection->left == 0) end_of_frame(connection);
    }
    return true;
}
