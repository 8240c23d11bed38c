// The benchmark's server: one thread, epoll, no library but OpenSSL. `server [--tls CERTIFICATE KEY]` listens on a free
// port of 127.0.0.1, prints it, and serves until its standard input ends.
//
// /echo               sends back what comes
// /sink               counts binary messages; a text message is answered with "<messages> <bytes>" since the last one
// /blast/<size>/<n>   sends n messages of that size for each message that comes, or as many as that one says

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "measure.h"
#include "server.h"

// So much of an echo may wait to be sent before nothing more is read: more than the largest message, because a client
// that blocks in its write reads nothing until it has sent all of it.
enum { read_size = 1 << 18, out_limit = 4 << 20, kept_capacity = 1 << 16, turn = 1 << 20 };

static int poller;
static SSL_CTX *tls_context;
static uint8_t received[read_size];

static void end(connection *connection) {
    if (connection->tls) {
        ERR_clear_error();
        if (connection->accepted) SSL_shutdown(connection->tls);
        SSL_free(connection->tls);
    }
    end_blast(connection);
    close(connection->descriptor);
    free(connection->in.bytes);
    free(connection->out.bytes);
    free(connection->small.bytes);
    free(connection);
}

// How many bytes; 0 where the socket is not ready; -1 where the connection is over.
static ssize_t receive(connection *connection) {
    if (connection->tls) {
        int count = SSL_read(connection->tls, received, read_size);
        if (count > 0) return count;
        int error = SSL_get_error(connection->tls, count);
        return error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE ? 0 : -1;
    }
    ssize_t count = recv(connection->descriptor, received, read_size, 0);
    return count > 0 ? count : count < 0 && errno == EAGAIN ? 0 : -1;
}

static ssize_t transmit(connection *connection, const uint8_t *bytes, size_t count) {
    if (connection->tls) {
        int sent = SSL_write(connection->tls, bytes, (int)(count < turn ? count : turn));
        if (sent > 0) return sent;
        int error = SSL_get_error(connection->tls, sent);
        return error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE ? 0 : -1;
    }
    ssize_t sent = send(connection->descriptor, bytes, count, MSG_NOSIGNAL);
    return sent > 0 ? sent : sent < 0 && errno == EAGAIN ? 0 : -1;
}

// Sends what there is. False where the connection is over.
static bool flush(connection *connection) {
    buffer *out = &connection->out;
    connection->blocked = false;
    for (size_t total = 0; total < turn;) {
        size_t count = out->end - out->start;
        bool is_blast = count == 0 && connection->left_messages > 0;
        const uint8_t *bytes = is_blast ? next_blast(connection, &count) : out->bytes + out->start;
        if (count == 0) break;
        ssize_t sent = transmit(connection, bytes, count);
        if (sent < 0) return false;
        if (sent == 0) {
            connection->blocked = true;
            break;
        }
        total += (size_t)sent;
        if (is_blast) sent_blast(connection, (size_t)sent);
        else out->start += (size_t)sent;
    }
    bool is_empty = out->start == out->end;
    if (is_empty && out->capacity > out_limit) {
        free(out->bytes);
        *out = (buffer){0};
    }
    return !(is_empty && connection->left_messages == 0 && connection->ending);
}

static bool take(connection *connection, uint8_t *bytes, size_t count) {
    if (connection->open) return take_frames(connection, bytes, count);
    append(&connection->in, bytes, count);
    buffer *in = &connection->in;
    size_t used = answer_handshake(connection, in->bytes + in->start, in->end - in->start);
    if (used == 0) return in->end - in->start < 8192;
    uint8_t rest[8192];
    size_t left = in->end - in->start - used;
    if (left > sizeof rest) return false;
    memcpy(rest, in->bytes + in->start + used, left);
    clear(in);
    return left == 0 || !connection->open || take_frames(connection, rest, left);
}

static bool serve(connection *connection, uint32_t events) {
    if (connection->tls && !connection->accepted) {
        int result = SSL_accept(connection->tls);
        if (result != 1) {
            int error = SSL_get_error(connection->tls, result);
            return error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE;
        }
        connection->accepted = true;
    }
    if (events & EPOLLOUT && !flush(connection)) return false;
    size_t waiting = connection->out.end - connection->out.start;
    // Over TLS there may be something left with OpenSSL, of which the socket says nothing.
    bool is_readable = connection->tls || events & ~(uint32_t)EPOLLOUT;
    for (size_t total = 0; is_readable && waiting < out_limit && (connection->tls || total < turn);) {
        ssize_t count = receive(connection);
        if (count < 0) return false;
        if (count == 0) break;
        if (!take(connection, received, (size_t)count)) return false;
        total += (size_t)count;
        if (!flush(connection)) return false;
        waiting = connection->out.end - connection->out.start;
        // A short read is the last: the system call that would say so is saved.
        if (!connection->tls && count < read_size) break;
    }
    bool wants_out = waiting > 0 || connection->left_messages > 0;
    uint32_t interest = (waiting < out_limit ? EPOLLIN : 0) | (wants_out ? EPOLLOUT : 0);
    if (interest != connection->interest) {
        struct epoll_event event = {.events = connection->interest = interest, .data.ptr = connection};
        epoll_ctl(poller, EPOLL_CTL_MOD, connection->descriptor, &event);
    }
    return true;
}

static void accept_all(int listener) {
    for (int descriptor; (descriptor = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0;) {
        int yes = 1;
        setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
        connection *connection = calloc(1, sizeof *connection);
        connection->descriptor = descriptor;
        if (tls_context) {
            connection->tls = SSL_new(tls_context);
            SSL_set_fd(connection->tls, descriptor);
            SSL_set_accept_state(connection->tls);
        }
        struct epoll_event event = {.events = connection->interest = EPOLLIN, .data.ptr = connection};
        epoll_ctl(poller, EPOLL_CTL_ADD, descriptor, &event);
    }
}

static int listen_on_free_port(void) {
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    if (bind(listener, (struct sockaddr *)&address, size) != 0 || listen(listener, 4096) != 0
        || getsockname(listener, (struct sockaddr *)&address, &size) != 0) bench_fail("cannot listen");
    printf("%d\n", ntohs(address.sin_port));
    fflush(stdout);
    return listener;
}

static void use_tls(const char *certificate, const char *key) {
    tls_context = SSL_CTX_new(TLS_server_method());
    SSL_CTX_set_mode(tls_context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_options(tls_context, SSL_OP_IGNORE_UNEXPECTED_EOF);
    // One for all clients: they would choose differently.
    SSL_CTX_set_ciphersuites(tls_context, "TLS_AES_128_GCM_SHA256");
    SSL_CTX_set_read_ahead(tls_context, 1);
    SSL_CTX_set_session_id_context(tls_context, (const uint8_t *)"bench", 5);
    if (SSL_CTX_use_certificate_chain_file(tls_context, certificate) != 1
        || SSL_CTX_use_PrivateKey_file(tls_context, key, SSL_FILETYPE_PEM) != 1) bench_fail("no certificate");
}

int main(int argc, char **argv) {
    signal(SIGPIPE, SIG_IGN);
    bench_raise_limits();
    if (argc == 4 && strcmp(argv[1], "--tls") == 0) use_tls(argv[2], argv[3]);
    else if (argc != 1) bench_fail("usage: server [--tls CERTIFICATE KEY]");
    poller = epoll_create1(EPOLL_CLOEXEC);
    int listener = listen_on_free_port();
    struct epoll_event listening = {.events = EPOLLIN, .data.ptr = &listener};
    struct epoll_event input = {.events = EPOLLIN | EPOLLHUP, .data.ptr = &poller};
    epoll_ctl(poller, EPOLL_CTL_ADD, listener, &listening);
    epoll_ctl(poller, EPOLL_CTL_ADD, STDIN_FILENO, &input);
    for (struct epoll_event events[256];;) {
        int count = epoll_wait(poller, events, 256, -1);
        for (int at = 0; at < count; at++) {
            connection *connection = events[at].data.ptr;
            if (events[at].data.ptr == &listener) accept_all(listener);
            else if (events[at].data.ptr == &poller) return 0;
            else if (!serve(connection, events[at].events)) end(connection);
        }
    }
}
