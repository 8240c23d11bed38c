// Bytes that grow at one end and are taken at the other.

#include <stdlib.h>
#include <string.h>

#include "measure.h"
#include "server.h"

uint8_t *reserve(buffer *buffer, size_t count) {
    if (buffer->start > 0 && buffer->start == buffer->end) buffer->start = buffer->end = 0;
    if (buffer->end + count > buffer->capacity) {
        if (buffer->start > 0) {
            memmove(buffer->bytes, buffer->bytes + buffer->start, buffer->end - buffer->start);
            buffer->end -= buffer->start;
            buffer->start = 0;
        }
        while (buffer->end + count > buffer->capacity) buffer->capacity = buffer->capacity ? buffer->capacity * 2 : 256;
        if (!(buffer->bytes = realloc(buffer->bytes, buffer->capacity))) bench_fail("no memory");
    }
    return buffer->bytes + buffer->end;
}

void append(buffer *buffer, const void *bytes, size_t count) {
    memcpy(reserve(buffer, count), bytes, count);
    buffer->end += count;
}

void clear(buffer *buffer) { buffer->start = buffer->end = 0; }
