// What a loop waits with, apart from lws: the means of the system, of which Linux has others than the rest.

#ifndef CLIBWEBSOCKETS_WAITING_H
#define CLIBWEBSOCKETS_WAITING_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/ioctl.h>
#if defined(__linux__)
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#else
#include <sys/event.h>
#endif

// What a loop waits with where it waits by itself: epoll, whose event is a packed structure with a union, and an eventfd and
// a timerfd beside the sockets. Other systems have other means, and a loop there leaves all waiting to lws.
#if defined(__linux__)
static const bool clws_can_watch = true;
// All that may happen to a socket, told of when it happens.
static const uint32_t clws_each_change = (uint32_t)EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
static inline int clws_make_watch(void) { return epoll_create1(EPOLL_CLOEXEC); }
static inline bool clws_watch(int watch, bool is_new, int descriptor, uint32_t events, uint64_t tag) {
    struct epoll_event event = {.events = events, .data = {.u64 = tag}};
    return epoll_ctl(watch, is_new ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, descriptor, &event) == 0;
}
static inline void clws_unwatch(int watch, int descriptor) {
    struct epoll_event unused = {0}; // NULL is an error before Linux 2.6.9
    (void)epoll_ctl(watch, EPOLL_CTL_DEL, descriptor, &unused);
}
// Fills the arrays with what has happened; a negative time is without limit. The bits are those of poll.
static inline int clws_wait(int watch, uint64_t *tags, uint32_t *events, int most, int milliseconds) {
    struct epoll_event found[64];
    int count = epoll_wait(watch, found, most < 64 ? most : 64, milliseconds);
    for (int index = 0; index < count; index++) {
        tags[index] = found[index].data.u64;
        events[index] = found[index].events;
    }
    return count;
}
static inline int clws_make_waker(void) { return eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK); }
static inline void clws_wake(int waker) { (void)eventfd_write(waker, 1); }
static inline void clws_reset_waker(int waker) {
    eventfd_t count;
    (void)eventfd_read(waker, &count);
}
static inline int clws_make_clock(void) { return timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK); }
static inline void clws_start_clock(int clock, long nanoseconds) {
    struct itimerspec once = {.it_value = {.tv_nsec = nanoseconds}};
    (void)timerfd_settime(clock, 0, &once, NULL);
}
#else
static const bool clws_can_watch = false;
static const uint32_t clws_each_change = 0;
static inline int clws_make_watch(void) { return -1; }
static inline bool clws_watch(int watch, bool is_new, int descriptor, uint32_t events, uint64_t tag) {
    (void)watch; (void)is_new; (void)descriptor; (void)events; (void)tag;
    return false;
}
static inline void clws_unwatch(int watch, int descriptor) { (void)watch; (void)descriptor; }
static inline int clws_wait(int watch, uint64_t *tags, uint32_t *events, int most, int milliseconds) {
    (void)watch; (void)tags; (void)events; (void)most; (void)milliseconds;
    return -1;
}
static inline int clws_make_waker(void) { return -1; }
static inline void clws_wake(int waker) { (void)waker; }
static inline void clws_reset_waker(int waker) { (void)waker; }
static inline int clws_make_clock(void) { return -1; }
static inline void clws_start_clock(int clock, long nanoseconds) { (void)clock; (void)nanoseconds; }
#endif

// Bytes that can be read; ioctl is variadic.
static inline int clws_unread(int descriptor) {
    int count = 0;
    return ioctl(descriptor, FIONREAD, &count) == 0 ? count : 0;
}

// Tells on which of many sockets something has arrived: an epoll set or a kqueue, which lws waits for like for a file.
// `each` makes what arrives count once, so that what stays in the socket does not wake anybody again.
#if defined(__linux__)
static inline int clws_make_arrivals(void) { return epoll_create1(EPOLL_CLOEXEC); }
static inline bool clws_expect_arrivals(int set, int descriptor, bool each, uint64_t tag) {
    struct epoll_event event = {.events = EPOLLIN | EPOLLRDHUP | (each ? EPOLLET : 0), .data = {.u64 = tag}};
    return epoll_ctl(set, EPOLL_CTL_ADD, descriptor, &event) == 0;
}
// Errors alone, which are told of in any case.
static inline bool clws_expect_failure(int set, int descriptor, uint64_t tag) {
    return clws_watch(set, true, descriptor, 0, tag);
}
static inline void clws_ignore_arrivals(int set, int descriptor) { clws_unwatch(set, descriptor); }
// Fills the array with what has arrived, without waiting.
static inline int clws_next_arrivals(int set, uint64_t *tags, int most) {
    uint32_t events[64];
    return clws_wait(set, tags, events, most < 64 ? most : 64, 0);
}
#else
static inline int clws_make_arrivals(void) { return kqueue(); }
static inline bool clws_expect_arrivals(int set, int descriptor, bool each, uint64_t tag) {
    struct kevent change;
    EV_SET(&change, descriptor, EVFILT_READ, EV_ADD | (each ? EV_CLEAR : 0), 0, 0, (void *)(uintptr_t)tag);
    return kevent(set, &change, 1, NULL, 0, NULL) == 0;
}
static inline bool clws_expect_failure(int set, int descriptor, uint64_t tag) {
    return clws_expect_arrivals(set, descriptor, true, tag); // with EV_EOF
}
static inline void clws_ignore_arrivals(int set, int descriptor) {
    struct kevent change;
    EV_SET(&change, descriptor, EVFILT_READ, EV_DELETE, 0, 0, NULL);
    (void)kevent(set, &change, 1, NULL, 0, NULL);
}
static inline int clws_next_arrivals(int set, uint64_t *tags, int most) {
    struct kevent found[64];
    const struct timespec at_once = {0};
    int count = kevent(set, NULL, 0, found, most < 64 ? most : 64, &at_once);
    for (int index = 0; index < count; index++) tags[index] = (uint64_t)(uintptr_t)found[index].udata;
    return count;
}
#endif

#endif
