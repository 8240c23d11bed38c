// The messages that /blast sends: made once for each size, compressed ones each by itself, so that sending them costs
// no more than the system calls.

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "measure.h"
#include "server.h"

enum { least_block = 1 << 18 };

static void append_message(connection *made, size_t number, size_t size, bool compressed) {
    const uint8_t *payload = bench_payload(number, size);
    if (!compressed) {
        append_head(made, 0x82, size);
        append(&made->out, payload, size);
        return;
    }
    z_stream deflater = {0};
    deflateInit2(&deflater, Z_DEFAULT_COMPRESSION, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY);
    size_t bound = deflateBound(&deflater, size) + 16;
    uint8_t *bytes = malloc(bound);
    deflater.next_in = (uint8_t *)payload;
    deflater.avail_in = (uInt)size;
    deflater.next_out = bytes;
    deflater.avail_out = (uInt)bound;
    deflate(&deflater, Z_SYNC_FLUSH);
    size_t count = bound - deflater.avail_out - 4; // without 00 00 ff ff (RFC 7692, section 7.2.1)
    deflateEnd(&deflater);
    append_head(made, 0xc2, count);
    append(&made->out, bytes, count);
    free(bytes);
}

const blast_block *find_block(size_t size, bool compressed) {
    static blast_block *blocks;
    for (blast_block *block = blocks; block; block = block->next)
        if (block->size == size && block->compressed == compressed) return block;

    blast_block *block = calloc(1, sizeof *block);
    connection made = {0};
    size_t ring = bench_ring(size), capacity = ring;
    block->offsets = malloc((capacity + 1) * sizeof(size_t));
    while (block->messages % ring != 0 || made.out.end < least_block) {
        if (block->messages == capacity)
            block->offsets = realloc(block->offsets, ((capacity *= 2) + 1) * sizeof(size_t));
        block->offsets[block->messages] = made.out.end;
        append_message(&made, block->messages % ring, size, compressed);
        block->messages++;
    }
    block->offsets[block->messages] = made.out.end;
    block->bytes = made.out.bytes;
    block->size = size;
    block->compressed = compressed;
    block->next = blocks;
    return blocks = block;
}

// Inflates a message of a few bytes. The peer's messages before it count, so the inflater stays.
static void inflate_request(connection *connection, const uint8_t *bytes, size_t count, char *text, size_t capacity) {
    if (!connection->inflater) {
        connection->inflater = calloc(1, sizeof *connection->inflater);
        inflateInit2(connection->inflater, -15);
    }
    z_stream *inflater = connection->inflater;
    const uint8_t *parts[] = {bytes, (const uint8_t *)"\0\0\xff\xff"};
    const size_t sizes[] = {count, 4};
    inflater->next_out = (uint8_t *)text;
    inflater->avail_out = (uInt)capacity;
    for (int part = 0; part < 2; part++) {
        inflater->next_in = (uint8_t *)parts[part];
        inflater->avail_in = (uInt)sizes[part];
        inflate(inflater, Z_SYNC_FLUSH);
    }
}

void start_blast(connection *connection, const uint8_t *request, size_t count) {
    char text[24] = "";
    if (connection->deflated) inflate_request(connection, request, count, text, sizeof text - 1);
    else memcpy(text, request, count < sizeof text ? count : 0);
    size_t wanted = strtoull(text, NULL, 10);
    connection->left_messages = wanted ? wanted : connection->default_count;
    connection->at_message = connection->at_byte = 0;
}

void end_blast(connection *connection) {
    if (connection->inflater) inflateEnd(connection->inflater);
    free(connection->inflater);
}

const uint8_t *next_blast(connection *connection, size_t *count) {
    const blast_block *block = connection->block;
    size_t last = connection->at_message + connection->left_messages;
    if (last > block->messages) last = block->messages;
    *count = block->offsets[last] - connection->at_byte;
    return block->bytes + connection->at_byte;
}

void sent_blast(connection *connection, size_t count) {
    const blast_block *block = connection->block;
    connection->at_byte += count;
    while (connection->left_messages > 0 && connection->at_byte >= block->offsets[connection->at_message + 1]) {
        connection->at_message++;
        connection->left_messages--;
        if (connection->at_message < block->messages) continue;
        connection->at_message = connection->at_byte = 0;
        break;
    }
}
