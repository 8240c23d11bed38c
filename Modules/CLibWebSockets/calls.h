// Calls of lws, OpenSSL and the system that Swift cannot make: they are variadic, hidden, or hand out an address of their own.

#ifndef CLIBWEBSOCKETS_CALLS_H
#define CLIBWEBSOCKETS_CALLS_H

#include <libwebsockets.h>
#include <stdbool.h>
#if defined(__linux__)
#include <sys/prctl.h>
#else
#include <pthread.h>
#endif

// Names the current thread. prctl is variadic and pthread_setname_np hidden without _GNU_SOURCE: Swift sees neither.
static inline void clws_name_thread(const char *name) {
#if defined(__linux__)
    prctl(PR_SET_NAME, name, 0, 0, 0);
#else
    pthread_setname_np(name);
#endif
}

// Between two looks at a lock that somebody else is about to release.
static inline void clws_relax(void) {
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__) || defined(__arm__)
    __asm__ volatile("yield");
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

#endif
