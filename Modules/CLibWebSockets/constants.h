// Constants that are expressions, casts or enumerators in the headers of lws and of the system, which Swift's importer skips, and
// what lws keeps in private headers though its public ones want it.

#ifndef CLIBWEBSOCKETS_CONSTANTS_H
#define CLIBWEBSOCKETS_CONSTANTS_H

#include <libwebsockets.h>
#include <poll.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

static const size_t clws_pre = LWS_PRE;
static const uint64_t clws_option_explicit_vhosts = LWS_SERVER_OPTION_EXPLICIT_VHOSTS;
static const uint64_t clws_option_ssl_global_init = LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT;
static const uint64_t clws_option_fail_if_unable_to_bind = LWS_SERVER_OPTION_FAIL_UPON_UNABLE_TO_BIND;
static const uint64_t clws_option_no_ipv6 = LWS_SERVER_OPTION_DISABLE_IPV6;
static const uint64_t clws_option_ipv6_only =
    LWS_SERVER_OPTION_IPV6_V6ONLY_MODIFY | LWS_SERVER_OPTION_IPV6_V6ONLY_VALUE;
static const uint64_t clws_option_client_certificate = LWS_SERVER_OPTION_REQUIRE_VALID_OPENSSL_CLIENT_CERT;
static const long clws_no_tls_before_12 = (long)(SSL_OP_NO_TLSv1 | SSL_OP_NO_TLSv1_1);
static const long clws_no_tls_12 = (long)SSL_OP_NO_TLSv1_2;
static const long clws_no_tls_13 = (long)SSL_OP_NO_TLSv1_3;
static const int clws_port_no_listen = CONTEXT_PORT_NO_LISTEN;
static const int clws_kill_async = LWS_TO_KILL_ASYNC;
static const int clws_kill_sync = LWS_TO_KILL_SYNC;
#if defined(__linux__)
static const int clws_poll_ended = POLLERR | POLLHUP | 0x2000; // POLLRDHUP, which needs _GNU_SOURCE
#else
static const int clws_poll_ended = POLLERR | POLLHUP;
#endif
static const int clws_peek = MSG_PEEK | MSG_DONTWAIT; // enumerators with glibc, macros on Darwin
static const int clws_take = MSG_DONTWAIT;
#if defined(MSG_NOSIGNAL)
static const int clws_send = MSG_DONTWAIT | MSG_NOSIGNAL;
#else
static const int clws_send = MSG_DONTWAIT; // lws has sockets with SO_NOSIGPIPE there (plat/unix/unix-sockets.c)
#endif
static const int clws_stream = SOCK_STREAM; // likewise

// lws sends a close frame like any other for this value, but keeps its name to itself: "LWS_WRITE_CLOSE is handled by
// lws_close_reason()" (lws-write.h), and lib/roles/ws/private-lib-roles-ws.h defines it as 4 in 4.1 to 5.0.
static const enum lws_write_protocol clws_write_close = (enum lws_write_protocol)4;

static const enum lws_write_protocol clws_write_raw = LWS_WRITE_RAW; // another name of LWS_WRITE_HTTP

// What lws hands an extension with LWS_EXT_CB_PAYLOAD_RX and _TX. lws declares it in a private header
// (roles/ws/private-lib-roles-ws.h: lws_ext_pm_deflate_rx_ebufs), the same in 4.1 to 5.0, although
// struct lws_extension is public.
typedef struct clws_extension_buffers {
    struct lws_tokens eb_in;
    struct lws_tokens eb_out;
} clws_extension_buffers;

// An extension's answers to those two, from core-net/private-lib-core-net.h (PMDR_...), the same in 4.1 to 5.0.
static const int clws_extension_not_final = 3;   // eb_out replaces the payload, the message goes on
static const int clws_extension_final = 4;       // eb_out replaces the payload, the message ends
static const int clws_extension_failed = -1;     // drop the connection
static const int clws_extension_leave_it = 0;    // deliver or send the payload as if there were no extension

#endif
