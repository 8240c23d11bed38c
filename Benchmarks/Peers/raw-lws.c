// The limit for a wrapper: libwebsockets by itself, event-driven, in one thread, straight on its API.

#include <libwebsockets.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "measure.h"

typedef struct client {
    struct lws *wsi;
    size_t sent, received, offset, received_bytes;
    double began;
    bool asks;          // sends its next message as text: what it asks of the server
    char report[64];
} client;

enum { open_at_once = 64 };

static bench_options options;
static struct lws_context *context;
static client *clients;
static size_t begun, opened, closed, finished, target, active;
static bool measuring, done;
static uint8_t *outgoing; // LWS_PRE bytes before the payload, which lws masks in place

static bool is(const char *workload) { return strcmp(options.workload, workload) == 0; }

static void connect_next(void) {
    client *client = &clients[begun++];
    struct lws_client_connect_info info = {0};
    info.context = context;
    info.address = info.host = info.origin = options.host;
    info.port = options.port;
    info.path = options.path;
    info.protocol = NULL;
    info.local_protocol_name = "bench";
    info.ssl_connection = options.tls ? LCCSCF_USE_SSL : 0;
    info.userdata = client;
    info.pwsi = &client->wsi;
    client->began = bench_now();
    if (!lws_client_connect_via_info(&info)) bench_fail("no connection");
}

// Lets the clients that take part work towards `target`.
static void begin(size_t count) {
    finished = 0;
    target = count;
    for (size_t at = options.clients - active; at < options.clients; at++) {
        clients[at].sent = clients[at].received = clients[at].received_bytes = 0;
        clients[at].asks = is("receive");
        lws_callback_on_writable(clients[at].wsi);
    }
}

static void all_opened(void) {
    if (is("idle")) {
        bench_note("seconds_open", bench_now() - clients[0].began);
        bench_note("memory_open", (double)bench_memory());
        bench_note("threads_open", (double)bench_threads());
    }
    begin(options.warmup);
}

static void finish(void) {
    bench_stop();
    bench_print(&options, (double)options.count * (double)(is("connect") ? 1 : active));
    done = true;
    // libuv's loop ends when there is nothing left on it, which takes the end of the context.
    if (options.uv) exit(0);
}

static void client_finished(void) {
    if (++finished < active) return;
    if (measuring) {
        finish();
    } else {
        measuring = true;
        bench_start();
        begin(options.count);
    }
}

static void write_message(client *client, size_t number) {
    memcpy(outgoing + LWS_PRE, bench_payload(number, options.size), options.size);
    if (lws_write(client->wsi, outgoing + LWS_PRE, options.size, LWS_WRITE_BINARY) < 0) bench_fail("lws_write");
}

static void write_request(client *client) {
    int length = sprintf((char *)outgoing + LWS_PRE, "%zu", target);
    if (lws_write(client->wsi, outgoing + LWS_PRE, (size_t)length, LWS_WRITE_TEXT) < 0) bench_fail("lws_write");
    client->asks = false;
}

static void writeable(client *client) {
    if (client->asks) {
        write_request(client);
    } else if (is("roundtrip") || is("idle")) {
        if (client->sent == client->received && client->sent < target) write_message(client, client->sent++);
    } else if (is("send") && client->sent < target) {
        // With compression the next may only be written in the next callback.
        do write_message(client, client->sent++);
        while (client->sent < target && !options.compress && !lws_send_pipe_choked(client->wsi));
        client->asks = client->sent == target;
        lws_callback_on_writable(client->wsi);
    }
}

static void received_report(client *client, const char *bytes, size_t count, bool last) {
    char expected[64];
    if (client->received_bytes + count >= sizeof client->report) bench_fail("a report that is too long");
    memcpy(client->report + client->received_bytes, bytes, count);
    client->received_bytes += count;
    if (!last) return;
    client->report[client->received_bytes] = 0;
    bench_report(expected, sizeof expected, target, options.size);
    if (options.compress) expected[strcspn(expected, " ") + 1] = 0; // its bytes are those of the wire
    if (strncmp(client->report, expected, strlen(expected)) != 0) bench_fail("the server counted something else");
    client_finished();
}

static void received(client *client, const uint8_t *bytes, size_t count, bool last) {
    if (is("send")) {
        received_report(client, (const char *)bytes, count, last);
        return;
    }
    size_t number = is("receive") ? client->received % bench_ring(options.size) : client->received;
    if (!bench_check_piece(number, client->offset, bytes, count, options.size)) bench_fail("wrong content");
    client->offset += count;
    if (!last) return;
    if (client->offset != options.size) bench_fail("a message that is too short");
    client->offset = 0;
    client->received++;
    if (client->received == target) client_finished();
    else if (!is("receive")) lws_callback_on_writable(client->wsi);
}

static int callback(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in, size_t count) {
    client *client = user;
    switch (reason) {
    case LWS_CALLBACK_CLIENT_ESTABLISHED:
        opened++;
        if (is("connect")) {
            bench_sample(bench_now() - client->began);
            lws_callback_on_writable(wsi);
            break;
        }
        if (begun < options.clients) connect_next();
        if (opened == options.clients) all_opened();
        break;
    case LWS_CALLBACK_CLIENT_RECEIVE:
        received(client, in, count, lws_is_final_fragment(wsi) && lws_remaining_packet_payload(wsi) == 0);
        break;
    case LWS_CALLBACK_CLIENT_WRITEABLE:
        if (is("connect")) return -1;
        writeable(client);
        break;
    case LWS_CALLBACK_WS_EXT_DEFAULTS:
        strcpy(in, "rx_buf_size=16,tx_buf_size=16"); // 64 KiB, instead of 1 KiB
        break;
    case LWS_CALLBACK_CLIENT_CONNECTION_ERROR:
        bench_fail(in ? in : "no connection");
    case LWS_CALLBACK_CLIENT_CLOSED:
        if (done) break;
        if (!is("connect")) bench_fail("closed");
        if (++closed == options.warmup) bench_start();
        if (closed < options.warmup + options.count) connect_next();
        else finish();
        break;
    default:
        break;
    }
    return 0;
}

int main(int argc, char **argv) {
    options = bench_parse(argc, argv);
    bench_raise_limits();
    lws_set_log_level(LLL_ERR, NULL);
    outgoing = malloc(LWS_PRE + options.size + 64);
    clients = calloc(is("connect") ? options.warmup + options.count : options.clients, sizeof *clients);
    active = is("idle") ? 1 : options.clients;

    // As much of a message at once as there is, but for idle clients, each of which has a buffer of this size.
    size_t buffer = is("idle") ? 4096 : 65536;
    struct lws_protocols protocols[] = {
        {"bench", callback, 0, buffer, 0, NULL, 1 << 21}, {NULL, NULL, 0, 0, 0, NULL, 0}};
    struct lws_extension extensions[] = {
        {"permessage-deflate", lws_extension_callback_pm_deflate, "permessage-deflate; client_max_window_bits"},
        {NULL, NULL, NULL}};
    struct lws_context_creation_info info = {0};
    info.port = CONTEXT_PORT_NO_LISTEN;
    info.protocols = protocols;
    info.pt_serv_buf_size = 65536;
    info.max_http_header_pool = 1024;
    if (options.compress) info.extensions = extensions;
    if (options.uv) info.options |= LWS_SERVER_OPTION_LIBUV;
    if (options.tls) {
        info.options |= LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT;
        info.client_ssl_ca_filepath = options.ca;
#if defined(LWS_SERVER_OPTION_DISABLE_TLS_SESSION_CACHE)
        info.options |= LWS_SERVER_OPTION_DISABLE_TLS_SESSION_CACHE;
#endif
    }
    if (!(context = lws_create_context(&info))) bench_fail(options.uv ? "no libuv" : "no context");
    if (is("nothing")) return 0;
    bench_note("memory_before", (double)bench_memory());
    size_t at_once = is("connect") ? 1 : options.clients < open_at_once ? options.clients : open_at_once;
    while (begun < at_once) connect_next();
    while (!done && lws_service(context, 0) >= 0) {}
    if (!done) bench_fail("lws_service");
    lws_context_destroy(context);
    return 0;
}
