// The calls of the system.

#define _GNU_SOURCE
#include "failing.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <netdb.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <unistd.h>

// libc's own.
#define REAL(name) ({ \
    static __typeof__(&name) real; \
    if (!real) real = (__typeof__(&name))dlsym(RTLD_NEXT, #name); \
    real; \
})
#define FAILS(name, error) (must_fail(call_##name##_##error, __builtin_return_address(0)) && (errno = error, true))

// ---- Descriptors

int socket(int family, int type, int protocol) {
    if (FAILS(socket, EMFILE) || FAILS(socket, ENOBUFS)) return -1;
    return REAL(socket)(family, type, protocol);
}
int socketpair(int family, int type, int protocol, int ends[2]) {
    if (FAILS(socketpair, EMFILE)) return -1;
    return REAL(socketpair)(family, type, protocol, ends);
}
int eventfd(unsigned int count, int flags) {
    if (FAILS(eventfd, EMFILE)) return -1;
    return REAL(eventfd)(count, flags);
}
int epoll_create1(int flags) {
    if (FAILS(epoll_create1, EMFILE)) return -1;
    return REAL(epoll_create1)(flags);
}
int timerfd_create(clockid_t clock, int flags) {
    if (FAILS(timerfd_create, EMFILE)) return -1;
    return REAL(timerfd_create)(clock, flags);
}
long syscall(long number, ...) {
    va_list list;
    va_start(list, number);
    long arguments[6];
    for (int index = 0; index < 6; index++) arguments[index] = va_arg(list, long);
    va_end(list);
    if (number == SYS_dup3 && FAILS(dup3, EINTR)) return -1;
    return REAL(syscall)(
        number, arguments[0], arguments[1], arguments[2], arguments[3], arguments[4], arguments[5]);
}
int fcntl(int descriptor, int command, ...) {
    va_list list;
    va_start(list, command);
    void *argument = va_arg(list, void *);
    va_end(list);
    if ((command == F_DUPFD || command == F_DUPFD_CLOEXEC) && FAILS(fcntl, EMFILE)) return -1;
    return REAL(fcntl)(descriptor, command, argument);
}
int open(const char *path, int flags, ...) {
    va_list list;
    va_start(list, flags);
    mode_t mode = va_arg(list, mode_t);
    va_end(list);
    if (FAILS(open, EMFILE) || FAILS(open, EINTR)) return -1;
    return REAL(open)(path, flags, mode);
}
// What lws's calls are compiled to, where it is fortified.
int __open_2(const char *path, int flags) {
    if (FAILS(open, EMFILE) || FAILS(open, EINTR)) return -1;
    return REAL(open)(path, flags);
}
FILE *fopen(const char *path, const char *mode) {
    if (FAILS(fopen, EMFILE)) return NULL;
    return REAL(fopen)(path, mode);
}
FILE *fopen64(const char *path, const char *mode) {
    if (FAILS(fopen, EMFILE)) return NULL;
    return REAL(fopen)(path, mode);
}
// The descriptor is closed in any case (close(2), "Dealing with error returns from close()").
int close(int descriptor) {
    int status = REAL(close)(descriptor);
    return FAILS(close, EINTR) ? -1 : status;
}

// ---- What is done with them

int bind(int descriptor, const struct sockaddr *address, socklen_t length) {
    if (FAILS(bind, ENOBUFS)) return -1;
    return REAL(bind)(descriptor, address, length);
}
int connect(int descriptor, const struct sockaddr *address, socklen_t length) {
    if (FAILS(connect, ENOBUFS)) return -1;
    int status = REAL(connect)(descriptor, address, length);
    // It goes on meanwhile (connect(2) of POSIX).
    return FAILS(connect, EINTR) ? -1 : status;
}
int setsockopt(int descriptor, int level, int option, const void *value, socklen_t length) {
    if (FAILS(setsockopt, ENOBUFS)) return -1;
    return REAL(setsockopt)(descriptor, level, option, value, length);
}
int getsockopt(int descriptor, int level, int option, void *value, socklen_t *length) {
    if (FAILS(getsockopt, ENOBUFS)) return -1;
    return REAL(getsockopt)(descriptor, level, option, value, length);
}
int getsockname(int descriptor, struct sockaddr *address, socklen_t *length) {
    if (FAILS(getsockname, ENOBUFS)) return -1;
    return REAL(getsockname)(descriptor, address, length);
}
int getpeername(int descriptor, struct sockaddr *address, socklen_t *length) {
    if (FAILS(getpeername, ENOBUFS)) return -1;
    return REAL(getpeername)(descriptor, address, length);
}
int fstat(int descriptor, struct stat *status) {
    if (FAILS(fstat, ENOMEM)) return -1;
    return REAL(fstat)(descriptor, status);
}
ssize_t read(int descriptor, void *bytes, size_t count) {
    // A few random numbers come without an interruption (random(4)).
    struct stat status;
    bool is_device = count <= 256 && REAL(fstat)(descriptor, &status) == 0 && S_ISCHR(status.st_mode);
    if ((!is_device && FAILS(read, EINTR)) || FAILS(read, ENOMEM)) return -1;
    return REAL(read)(descriptor, bytes, count);
}
ssize_t write(int descriptor, const void *bytes, size_t count) {
    if (FAILS(write, EINTR) || FAILS(write, ENOSPC)) return -1;
    return REAL(write)(descriptor, bytes, count);
}
ssize_t recv(int descriptor, void *bytes, size_t count, int flags) {
    if (FAILS(recv, EINTR) || FAILS(recv, ENOMEM)) return -1;
    return REAL(recv)(descriptor, bytes, count, flags);
}
ssize_t send(int descriptor, const void *bytes, size_t count, int flags) {
    if (FAILS(send, ENOBUFS)) return -1;
    // A socket that never blocks is not interrupted (signal(7)), and lws sends a request once (roles/http/client/client-http.c:
    // LRS_H1C_ISSUE_HANDSHAKE2).
    if (is_program(__builtin_return_address(0)) && FAILS(send, EINTR)) return -1;
    return REAL(send)(descriptor, bytes, count, flags);
}

// ---- Waiting

int epoll_ctl(int set, int operation, int descriptor, struct epoll_event *event) {
    // Nothing is needed for the other two.
    if (operation == EPOLL_CTL_ADD && (FAILS(epoll_ctl, ENOMEM) || FAILS(epoll_ctl, ENOSPC))) return -1;
    return REAL(epoll_ctl)(set, operation, descriptor, event);
}
int epoll_wait(int set, struct epoll_event *events, int count, int milliseconds) {
    if (FAILS(epoll_wait, EINTR)) return -1;
    return REAL(epoll_wait)(set, events, count, milliseconds);
}
int poll(struct pollfd *descriptors, nfds_t count, int milliseconds) {
    // Linux takes memory for more than thirty descriptors (fs/select.c: do_sys_poll), no more than a page at a time, for which
    // there always is. Not lws's: where its poll fails it goes by what an earlier one has left, reads on behind a ping, and drops
    // pongs (plat/unix/unix-service.c: _lws_plat_service_tsi).
    if (is_program(__builtin_return_address(0)) && count > 1 && FAILS(poll, ENOMEM)) return -1;
    // What is there is told, signal or not (do_poll).
    int ready = REAL(poll)(descriptors, count, 0);
    if (ready == 0 && FAILS(poll, EINTR)) return -1;
    return ready != 0 || milliseconds == 0 ? ready : REAL(poll)(descriptors, count, milliseconds);
}

// ---- Threads and names

int pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*start)(void *), void *argument) {
    if (FAILS(pthread_create, EAGAIN)) return EAGAIN;
    return REAL(pthread_create)(thread, attributes, start, argument);
}
int getaddrinfo(const char *name, const char *service, const struct addrinfo *hints, struct addrinfo **found) {
    if (FAILS(getaddrinfo, EAI_MEMORY)) return EAI_MEMORY;
    if (FAILS(getaddrinfo, EAI_AGAIN)) return EAI_AGAIN;
    if (FAILS(getaddrinfo, EAI_SYSTEM)) {
        errno = EMFILE;
        return EAI_SYSTEM;
    }
    return REAL(getaddrinfo)(name, service, hints, found);
}
int getifaddrs(struct ifaddrs **found) {
    if (FAILS(getifaddrs, ENOMEM)) return -1;
    return REAL(getifaddrs)(found);
}
