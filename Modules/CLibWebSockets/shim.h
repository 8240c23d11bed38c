// The C side of the CLibWebSockets module: libwebsockets itself, and here all that differs between its builds and its releases,
// each with its reason, under the release that it came with. What Swift cannot import is in the other headers.

#ifndef CLIBWEBSOCKETS_SHIM_H
#define CLIBWEBSOCKETS_SHIM_H

// The system's headers, which libwebsockets.h includes, belong to Swift's module for them, whichever of the two modules is
// loaded first. Otherwise a file that imports Glibc alone does not see them, depending on the order of the files.
#if defined(__linux__) && __has_feature(modules)
#pragma clang module import SwiftGlibc
#endif

// Nothing else is looked at where that says that this libwebsockets does not do.
#include "required.h"
#if defined(CLIBWEBSOCKETS_IS_USABLE)

#include <libwebsockets.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "calls.h"
#include "constants.h"
#include "descriptors.h"
#include "waiting.h"

// ---- What lws may be built without

// Whether this build of lws has extensions, without which nothing is compressed: CMakeLists.txt leaves them out unless told
// otherwise, and Debian tells it otherwise.
static inline bool clws_has_extensions(void) {
#if defined(LWS_WITHOUT_EXTENSIONS)
    return false;
#else
    return true;
#endif
}
static inline bool clws_has_ipv6(void) {
#if defined(LWS_WITH_IPV6)
    return true;
#else
    return false;
#endif
}
static inline bool clws_has_unix_sockets(void) {
#if defined(LWS_WITH_UNIX_SOCK)
    return true;
#else
    return false;
#endif
}

// ---- What is otherwise from a release on. Which one is that?

// The release that is loaded, which may be a later one of the same series than was compiled with: what it does goes by this, what
// it declares by LWS_LIBRARY_VERSION_NUMBER. Some call themselves by the number before theirs: 4.1.1 to 4.1.3 4.1.0, 4.2.2 4.2.1,
// 4.3.1 4.3.0, 4.3.4 4.3.3, 4.3.6 and 4.3.7 4.3.5, 4.4.1 and 4.4.2 4.4.0, 4.4.4 4.4.3, 4.5.1 4.5.0.
static inline int clws_running_number(void) {
    int major, minor, patch;
    if (sscanf(lws_get_library_version(), "%d.%d.%d", &major, &minor, &patch) != 3) return LWS_LIBRARY_VERSION_NUMBER;
    return major * 1000000 + minor * 1000 + patch;
}

// ---- 4.2

// lws's own cache of TLS sessions, in whose place there is ours.
#if defined(LWS_SERVER_OPTION_DISABLE_TLS_SESSION_CACHE)
static const uint64_t clws_option_no_session_cache = LWS_SERVER_OPTION_DISABLE_TLS_SESSION_CACHE;
#else
static const uint64_t clws_option_no_session_cache = 0;
#endif

// Whether contexts have a socket that tells of the machine's routes (roles/netlink/ops-netlink.c).
static inline bool clws_opens_route_socket(void) {
#if defined(__linux__)
    return LWS_LIBRARY_VERSION_NUMBER >= 4002000;
#else
    return false;
#endif
}

// ---- 4.3

// Calls `each` with the name (not NUL-terminated, with its colon) of every header that lws has no token for.
// Returns -1 where lws has no way to list them.
static inline int clws_each_unknown_header(struct lws *wsi, void (*each)(const char *, int, void *), void *opaque) {
#if LWS_LIBRARY_VERSION_NUMBER >= 4003000
    return lws_hdr_custom_name_foreach(wsi, each, opaque);
#else
    (void)wsi; (void)each; (void)opaque;
    return -1;
#endif
}

// All contexts count what they log for in one place, without a lock where lws is built for one service thread each
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

// ---- 4.3.4

// Whether a context may leave its event descriptor open when it is destroyed, as 4.3.4 to 4.3.6, 4.4.0 and 4.4.1 do.
static inline bool clws_leaves_event_pipe(void) {
#if defined(__linux__)
    const int number = clws_running_number();
    return (number >= 4003003 && number <= 4003005) || number == 4004000;
#else
    return false;
#endif
}

// ---- 4.3.6

// Whether a context without an event descriptor, as it is made where the system has none left, can be destroyed. lws
// frees the pipe's wsi as one that was never served, and then again as the pipe's (core/context.c: lws_pt_destroy,
// pre_natal_wsi_owner; 5.0 as well).
static inline bool clws_survives_missing_pipe(void) { return clws_running_number() < 4003005; }

// ---- 4.4

// Lines of lws's log that say nothing. It tries to bind a socket to a network device of the name that it was given to
// bind it to, which is an address here, and goes on (core-net/network.c: lws_socket_bind). The other is what answers
// clws_takes_ipv6_proxy, below.
static inline bool clws_is_idle_talk(const char *line) {
    return strstr(line, "setsockopt bind to device ") != NULL || strstr(line, "http_proxy needs to be ads:port") != NULL;
}

// ---- 4.4.2

// Whether a client stops within what it has read when its reading is paused. It parses a whole read at a time
// (roles/ws/client-parser-ws.c: lws_ws_client_rx_parser_block), and of several pings in it answers the first alone. 4.4.0
// and 4.4.1 do not yet, but the three go by one number.
static inline bool clws_client_stops_within_read(void) { return clws_running_number() < 4004000; }

// Whether it is the payload of a control frame which a client is handed as that of a message: from 4.4.2 to 4.5.0 the same parser
// takes all payload for that. 4.4.0 and 4.4.1 go by one number with 4.4.2, 4.5.1 with 4.5.0.
static inline bool clws_may_mistake_control_frames(void) {
    const int number = clws_running_number();
    return number >= 4004000 && number <= 4005000;
}
static inline bool clws_mistakes_control_frame(struct lws *wsi) {
#if LWS_LIBRARY_VERSION_NUMBER >= 4004000
    return (lws_get_opcode(wsi) & 8) != 0;
#else
    (void)wsi;
    return false;
#endif
}

// ---- 4.5

// Has lws ask by LWS_CALLBACK_GET_THREAD_ID whenever it changes what it waits for, which it does where it was answered with other
// than 0 when it first served the context (plat/unix/unix-service.c: _lws_plat_service_tsi; core-net/pollfd.c:
// _lws_change_pollfd). It puts that question to the first protocol of the first vhost. From then on, and before where lws is
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

// ---- 4.5.3

// Gives a new vhost the port of its proxy. lws_set_proxy then gets addresses without a port, for of "address:port" it looks up the
// whole from 4.5.3 on (core-net/client/client.c: it does not cut the port off any more). The address is none that is connected to;
// without one lws would read the environment.
static inline void clws_use_proxy_port(struct lws_context_creation_info *info, unsigned int port) {
    clws_ignore_environment_proxy(info);
    info->http_proxy_address = "0.0.0.0";
    info->http_proxy_port = port;
}

// Whether lws_set_proxy takes an IPv6 address, on a vhost with a proxy's port. From then on it takes the second group for the port
// as well, "[::1]" for port 0, and that means no proxy at all. It came with a change for C23, which distributions have in releases
// before (Debian in 4.3.5-4), so the number does not tell; but an address is refused then, for there is no port. The vhost keeps
// its port, and has no address of a proxy's until the next call of lws_set_proxy.
static inline bool clws_takes_ipv6_proxy(struct lws_vhost *vhost, unsigned int port) {
    if (lws_set_proxy(vhost, "http://[::1]") == 0 && lws_set_proxy(vhost, "http://0.0.0.0") == 0) return true;
    char with_port[24];
    snprintf(with_port, sizeof with_port, "http://0.0.0.0:%u", port);
    lws_set_proxy(vhost, with_port);
    return false;
}

// Whether lws calls OPENSSL_cleanup when the last context with TLS is destroyed (openssl-tls.c:
// lws_context_deinit_ssl_library). 5.0 does no more.
static inline bool clws_ends_openssl(void) {
    return clws_running_number() >= 4005003 && clws_running_number() < 5000000;
}

// ---- 5.0

// lws looks whether text is UTF-8 unless told otherwise, also at what is compressed, where a server uses an extension of its own.
#if defined(LWS_SERVER_OPTION_DISABLE_UTF8_VALIDATION)
static const uint64_t clws_option_no_text_check = LWS_SERVER_OPTION_DISABLE_UTF8_VALIDATION;
#else
static const uint64_t clws_option_no_text_check = 0; // VALIDATE_UTF8 is off
#endif

#endif

#endif
