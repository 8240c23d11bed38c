// The C side of the CLibWebSockets module: libwebsockets itself, and only what Swift cannot import or
// what differs between its releases. Each entry says why it is here.

#ifndef CLIBWEBSOCKETS_SHIM_H
#define CLIBWEBSOCKETS_SHIM_H

// The system's headers, which libwebsockets.h includes, belong to Swift's module for them, whichever of the two modules is
// loaded first. Otherwise a file that imports Glibc alone does not see them, depending on the order of the files.
#if defined(__linux__) && __has_feature(modules)
#pragma clang module import SwiftGlibc
#endif

// What the build of libwebsockets has to have, before its other headers ask for those of a library that may not be there.
#include <lws_config.h>
#if LWS_LIBRARY_VERSION_NUMBER < 4001000
#error "swift-lws needs libwebsockets 4.1 or newer"
#endif
#if !defined(LWS_WITH_TLS) || defined(LWS_WITH_GNUTLS) || defined(LWS_WITH_MBEDTLS) || defined(LWS_WITH_BEARSSL) \
    || defined(LWS_WITH_SCHANNEL) || defined(LWS_WITH_OPENHITLS) || defined(LWS_WITH_BORINGSSL) || defined(LWS_WITH_AWSLC) \
    || defined(USE_WOLFSSL) || defined(USE_OLD_CYASSL)
#error "swift-lws needs a libwebsockets that was built with OpenSSL, and this one has another TLS library, or none. \
Packages with OpenSSL: libwebsockets-dev (Debian, Ubuntu), libwebsockets-devel (Fedora), libwebsockets (Arch, Homebrew). \
Your own build: cmake -DLWS_WITH_SSL=ON -DLWS_WITH_GNUTLS=OFF -DLWS_WITH_MBEDTLS=OFF, and for 5.0 -DLWS_WITH_HTTP3=OFF"
#endif
#if !defined(LWS_WITH_NETWORK) || !defined(LWS_WITH_CLIENT) || !defined(LWS_WITH_SERVER) || !defined(LWS_ROLE_H1) \
    || !defined(LWS_ROLE_WS)
#error "swift-lws needs a libwebsockets with WebSockets, client and server, and this one was built without some of them. \
Your own build: cmake -DLWS_ROLE_WS=ON -DLWS_WITHOUT_CLIENT=OFF -DLWS_WITHOUT_SERVER=OFF"
#endif

#include <libwebsockets.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <poll.h>
#include <sys/socket.h>
#if defined(__linux__)
#include <signal.h>
#include <sys/prctl.h>
#else
#include <pthread.h>
#endif
#include "descriptors.h"
#include "waiting.h"

// Constants that are expressions or casts in lws's headers, which Swift's importer skips.
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
// lws's own cache of TLS sessions, which came with 4.2: ours takes their place.
#if defined(LWS_SERVER_OPTION_DISABLE_TLS_SESSION_CACHE)
static const uint64_t clws_option_no_session_cache = LWS_SERVER_OPTION_DISABLE_TLS_SESSION_CACHE;
#else
static const uint64_t clws_option_no_session_cache = 0;
#endif
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
// lws_close_reason()" (lws-write.h), and lib/roles/ws/private-lib-roles-ws.h defines it as 4 in 4.1 to 4.5.
static const enum lws_write_protocol clws_write_close = (enum lws_write_protocol)4;

static const enum lws_write_protocol clws_write_raw = LWS_WRITE_RAW; // another name of LWS_WRITE_HTTP

// Names the current thread. prctl is variadic and pthread_setname_np hidden without _GNU_SOURCE: Swift sees neither.
static inline void clws_name_thread(const char *name) {
#if defined(__linux__)
    prctl(PR_SET_NAME, name, 0, 0, 0);
#else
    pthread_setname_np(name);
#endif
}

// Ends a wait inside lws at some time. lws looks at its timers, then waits once: one that is due when it looks must keep it
// from waiting (plat/unix/unix-service.c: _lws_plat_service_tsi). Its callback is given nothing but its own address.
typedef struct clws_alarm {
    lws_sorted_usec_list_t sul; // must stay first: the callback casts it back
    struct lws_context *context;
} clws_alarm;
static inline void clws_alarm_rings(lws_sorted_usec_list_t *sul) { lws_cancel_service(((clws_alarm *)sul)->context); }
static inline void clws_cancel_alarm(clws_alarm *alarm) { lws_sul_cancel(&alarm->sul); }
static inline void clws_set_alarm(clws_alarm *alarm, struct lws_context *context, lws_usec_t after) {
    alarm->context = context;
    lws_sul_schedule(context, 0, &alarm->sul, clws_alarm_rings, after);
}

// lws pings a connection that was silent for 300 s by itself, and ends it 10 s later where it has read nothing meanwhile
// (core-net/wsi-timeout.c: lws_validity_cb): also one that the application keeps from being read. Zero is never.
static inline const lws_retry_bo_t *clws_no_validity_checks(void) {
    static const lws_retry_bo_t never = {0};
    return &never;
}

// Takes the SOCKS and HTTP proxies of the environment away from a vhost. lws reads `http_proxy` (and, where it
// is built in, `socks_proxy`) by itself unless an address is set (core-net/vhost.c: lws_create_vhost); an
// address without a port is refused by lws_set_proxy, which leaves the proxy port 0, which means none.
static inline void clws_ignore_environment_proxy(struct lws_context_creation_info *info) {
    info->http_proxy_address = ":0";
    info->http_proxy_port = 0;
#if defined(LWS_WITH_SOCKS5)
    info->socks_proxy_address = ":0";
    info->socks_proxy_port = 0;
#endif
}

// Gives a new vhost the port of its proxy. lws_set_proxy then gets addresses without a port, for of "address:port" 4.5
// looks up the whole (core-net/client/client.c: lws_set_proxy does not cut the port off any more). The address is none
// that is connected to; without one lws would read the environment.
static inline void clws_use_proxy_port(struct lws_context_creation_info *info, unsigned int port) {
    clws_ignore_environment_proxy(info);
    info->http_proxy_address = "0.0.0.0";
    info->http_proxy_port = port;
}

// Whether lws_set_proxy takes an IPv6 address. 4.5 takes its second group for the port, "[::1]" for port 0, and that
// means no proxy at all. When that came is not known, so only the release that is known to be sound is trusted.
#if LWS_LIBRARY_VERSION_NUMBER < 4002000
static const bool clws_takes_ipv6_proxy = true;
#else
static const bool clws_takes_ipv6_proxy = false;
#endif

// The release that is loaded, which may be a later one of the same series than was compiled with: what it does goes by this, what
// it declares by LWS_LIBRARY_VERSION_NUMBER. Some call themselves by the number before theirs: 4.3.4 4.3.3, 4.3.6 and 4.3.7 4.3.5,
// 4.4.1 and 4.4.2 4.4.0, 4.4.4 4.4.3, 4.5.1 4.5.0.
static inline int clws_running_number(void) {
    int major, minor, patch;
    if (sscanf(lws_get_library_version(), "%d.%d.%d", &major, &minor, &patch) != 3) return LWS_LIBRARY_VERSION_NUMBER;
    return major * 1000000 + minor * 1000 + patch;
}

// Whether a context may leave its event descriptor open when it is destroyed: 4.3.4 and 4.3.5 do.
static inline bool clws_leaves_event_pipe(void) {
#if defined(__linux__)
    return clws_running_number() >= 4003003 && clws_running_number() <= 4003005;
#else
    return false;
#endif
}

// Whether lws calls OPENSSL_cleanup when the last context with TLS is destroyed (openssl-tls.c:
// lws_context_deinit_ssl_library): from 4.5.3 on, and no more in 5.0.
static inline bool clws_ends_openssl(void) {
    return clws_running_number() >= 4005003 && clws_running_number() < 5000000;
}

// What lws asks of OpenSSL for a server without heeding the answer (tls/openssl/openssl-server.c:
// lws_tls_server_vhost_backend_init and lws_tls_server_certs_load), asked again where lws hands over the SSL_CTX. With
// lists that OpenSSL does not take it would go on with OpenSSL's own, with a file that holds no certificate it would
// refuse every client, and with a key of another kind than the certificate's (RSA, elliptic curves) every handshake
// would fail.
static inline bool clws_takes_ciphers(void *ssl_ctx, const char *list) {
    return SSL_CTX_set_cipher_list((SSL_CTX *)ssl_ctx, list) == 1;
}
static inline bool clws_takes_cipher_suites(void *ssl_ctx, const char *list) {
    return SSL_CTX_set_ciphersuites((SSL_CTX *)ssl_ctx, list) == 1;
}
static inline bool clws_takes_authority(void *ssl_ctx, const char *file) {
    return SSL_CTX_load_verify_locations((SSL_CTX *)ssl_ctx, file, NULL) == 1;
}
static inline bool clws_has_certificate_with_key(void *ssl_ctx) {
    return SSL_CTX_check_private_key((SSL_CTX *)ssl_ctx) == 1;
}

// Calls `each` with the name (not NUL-terminated, with its colon) of every header that lws has no token for.
// Returns -1 where lws has no way to list them: lws_hdr_custom_name_foreach came with 4.3.
static inline int clws_each_unknown_header(struct lws *wsi, void (*each)(const char *, int, void *), void *opaque) {
#if LWS_LIBRARY_VERSION_NUMBER >= 4003000 && defined(LWS_WITH_CUSTOM_HEADERS)
    return lws_hdr_custom_name_foreach(wsi, each, opaque);
#else
    (void)wsi; (void)each; (void)opaque;
    return -1;
#endif
}

// What lws hands an extension with LWS_EXT_CB_PAYLOAD_RX and _TX. lws declares it in a private header
// (roles/ws/private-lib-roles-ws.h: lws_ext_pm_deflate_rx_ebufs), the same in 4.1 to 4.5, although
// struct lws_extension is public.
typedef struct clws_extension_buffers {
    struct lws_tokens eb_in;
    struct lws_tokens eb_out;
} clws_extension_buffers;

// An extension's answers to those two, from core-net/private-lib-core-net.h (PMDR_...), the same in 4.1 to 4.5.
static const int clws_extension_not_final = 3;   // eb_out replaces the payload, the message goes on
static const int clws_extension_final = 4;       // eb_out replaces the payload, the message ends
static const int clws_extension_failed = -1;     // drop the connection
static const int clws_extension_leave_it = 0;    // deliver or send the payload as if there were no extension

// Whether this build of lws has extensions: CMakeLists.txt leaves them out unless told otherwise, and Debian tells it otherwise.
static inline bool clws_has_extensions(void) {
#if defined(LWS_WITHOUT_EXTENSIONS)
    return false;
#else
    return true;
#endif
}

// Has lws ask by LWS_CALLBACK_GET_THREAD_ID whenever it changes what it waits for, which it does where it was answered with other
// than 0 when it first served the context (plat/unix/unix-service.c: _lws_plat_service_tsi; core-net/pollfd.c:
// _lws_change_pollfd). It puts that question to the first protocol of the first vhost. From 4.5 on, and before that where lws is
// built to look up names, ask for the time or its address by itself, that is one of its own, which answers 0 (core/context.c:
// "system vhost"). Its table is on the heap, and the vhost's alone.
static const int clws_thread_id = 1;
static inline lws_callback_function **clws_system_callback(void) {
    static lws_callback_function *callback;
    return &callback;
}
static inline int clws_answer_for_system(
    struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in, size_t len) {
    if (reason == LWS_CALLBACK_GET_THREAD_ID) return clws_thread_id;
    return __atomic_load_n(clws_system_callback(), __ATOMIC_ACQUIRE)(wsi, reason, user, in, len);
}
static inline void clws_have_thread_asked(struct lws_context *context) {
    // In the order in which lws puts them into that table.
    static const char *const names[] = {
        "lws-async-dns", "lws-ntpclient", "lws-dhcp4client", "lws-stdin", "lws-whois", "lws-dir-notify"};
    struct lws_vhost *system = lws_get_vhost_by_name(context, "system");
    const struct lws_protocols *first = NULL;
    for (size_t index = 0; system && !first && index < sizeof names / sizeof *names; index++)
        first = lws_vhost_name_to_protocol(system, names[index]);
    if (!first || !first->callback) return;
    __atomic_store_n(clws_system_callback(), first->callback, __ATOMIC_RELEASE);
    ((struct lws_protocols *)first)->callback = clws_answer_for_system;
}

// lws looks whether text is UTF-8 unless told otherwise, also at what is compressed, where a server uses an extension of its own.
#if defined(LWS_SERVER_OPTION_DISABLE_UTF8_VALIDATION)
static const uint64_t clws_option_no_text_check = LWS_SERVER_OPTION_DISABLE_UTF8_VALIDATION; // 5.0
#else
static const uint64_t clws_option_no_text_check = 0; // VALIDATE_UTF8 is off
#endif

// From 4.3 on all contexts count what they log for in one place, without a lock where lws is built for one service thread each
// (LWS_MAX_SMP 1), and assert that there is something to count down (core/logs.c: lwsl_refcount_cx). Two loops that count at the
// same time may lose one, and a process with an lws that has its assertions, as Debian's, then ends some time. Nothing else is
// done with the number: it starts where it does not come down from.
static inline void clws_keep_log_count(struct lws_context *context) {
#if LWS_LIBRARY_VERSION_NUMBER >= 4003000
    struct lws_log_cx *log = lwsl_context_get_cx(context);
    if (log && log->refcount < 1 << 29) log->refcount += 1 << 30;
#else
    (void)context;
#endif
}

// Whether a context without an event descriptor, as it is made where the system has none left, can be destroyed. From 4.3.6 on lws
// frees the pipe's wsi as one that was never served, and then again as the pipe's (core/context.c: lws_pt_destroy,
// pre_natal_wsi_owner; 5.0 as well).
static inline bool clws_survives_missing_pipe(void) { return clws_running_number() < 4003005; }

// Whether a client has every ping answered. From 4.4.2 on it parses a whole read at a time (roles/ws/client-parser-ws.c:
// lws_ws_client_rx_parser_block), where nothing can come between two pings, and of several in it answers the first alone.
static inline bool clws_answers_each_ping(void) { return clws_running_number() < 4004000; }

// Lines of lws's log that say nothing. From 4.4 on it tries to bind a socket to a network device of the name that it was given to
// bind it to, which is an address here, and goes on (core-net/network.c: lws_socket_bind).
static inline bool clws_is_idle_talk(const char *line) { return strstr(line, "setsockopt bind to device ") != NULL; }

// Between two looks at a lock that somebody else is about to release.
static inline void clws_relax(void) {
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__) || defined(__arm__)
    __asm__ volatile("yield");
#endif
}

#endif
