// The WebSocket handshake (RFC 6455, section 4.2) of the benchmark's server.

#define _GNU_SOURCE
#include <openssl/evp.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server.h"

// The value of a header field, or NULL.
static const char *field(const char *request, const char *name, char *value, size_t capacity) {
    const char *line = request;
    size_t length = strlen(name);
    while ((line = strstr(line, "\r\n")) && line[2] != '\r') {
        line += 2;
        if (strncasecmp(line, name, length) != 0 || line[length] != ':') continue;
        line += length + 1;
        while (*line == ' ') line++;
        size_t end = strcspn(line, "\r\n");
        if (end >= capacity) return NULL;
        memcpy(value, line, end);
        value[end] = 0;
        return value;
    }
    return NULL;
}

static bool choose_behaviour(connection *connection, const char *request) {
    size_t size, count;
    if (strncmp(request, "GET /echo ", 10) == 0) connection->behaviour = echo;
    else if (strncmp(request, "GET /sink ", 10) == 0) connection->behaviour = sink;
    else if (sscanf(request, "GET /blast/%zu/%zu ", &size, &count) == 2 && size <= 1 << 20) {
        connection->behaviour = blast;
        connection->default_count = count;
        connection->block = find_block(size, connection->compressed);
    } else return false;
    return true;
}

size_t answer_handshake(connection *connection, const uint8_t *bytes, size_t count) {
    const uint8_t *end = memmem(bytes, count, "\r\n\r\n", 4);
    if (!end) return 0;
    size_t length = (size_t)(end + 4 - bytes);
    char request[4096], value[1024], key[128], answer[512];
    uint8_t hash[SHA_DIGEST_LENGTH];
    char accept[64];
    if (length >= sizeof request) goto refused;
    memcpy(request, bytes, length);
    request[length] = 0;

    if (!field(request, "Sec-WebSocket-Key", key, 64)) goto refused;
    connection->compressed = field(request, "Sec-WebSocket-Extensions", value, sizeof value)
        && strstr(value, "permessage-deflate");
    if (!choose_behaviour(connection, request)) goto refused;

    strcat(key, "258EAFA5-E914-47DA-95CA-C5AB0DC85B11");
    SHA1((uint8_t *)key, strlen(key), hash);
    EVP_EncodeBlock((uint8_t *)accept, hash, sizeof hash);
    snprintf(answer, sizeof answer,
             "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
             "Sec-WebSocket-Accept: %s\r\n%s\r\n", accept,
             connection->compressed ? "Sec-WebSocket-Extensions: permessage-deflate\r\n" : "");
    append(&connection->out, answer, strlen(answer));
    connection->open = true;
    return length;

refused:
    strcpy(answer, "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    append(&connection->out, answer, strlen(answer));
    connection->ending = true;
    return length;
}
