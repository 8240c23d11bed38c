// The descriptors that a context has for itself, and how many there may be.

#ifndef CLIBWEBSOCKETS_DESCRIPTORS_H
#define CLIBWEBSOCKETS_DESCRIPTORS_H

#include <fcntl.h>
#include <stdbool.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>
#if defined(__linux__)
#include <linux/rtnetlink.h>
#include <sys/syscall.h>
#endif

// Whether the descriptor is a socket that tells of the machine's routes, as contexts have them (clws_opens_route_socket): of the
// groups that lws asks for, those of IPv6 only where it is built with it.
static inline bool clws_is_route_socket(int descriptor) {
#if defined(__linux__)
    const unsigned always = RTMGRP_LINK | RTMGRP_IPV4_ROUTE | RTMGRP_IPV4_IFADDR;
    const unsigned ipv6 = RTMGRP_IPV6_ROUTE | RTMGRP_IPV6_IFADDR;
    struct sockaddr_nl address = {0};
    socklen_t size = sizeof address;
    return getsockname(descriptor, (struct sockaddr *)&address, &size) == 0 && address.nl_family == AF_NETLINK
        && (address.nl_groups & ~ipv6) == always;
#else
    (void)descriptor;
    return false;
#endif
}

// Has the number `place` stand for what `descriptor` stands for; returns it, or -1. A program that another thread starts meanwhile inherits neither,
// where the system has a call for that (dup3, which needs _GNU_SOURCE).
static inline int clws_put(int descriptor, int place) {
#if defined(SYS_dup3)
    return (int)syscall(SYS_dup3, descriptor, place, O_CLOEXEC);
#else
    return dup2(descriptor, place) < 0 || fcntl(place, F_SETFD, FD_CLOEXEC) != 0 ? -1 : place;
#endif
}

// The kind is an enumeration of glibc's own in some modes of the compiler.
static inline bool clws_get_file_limit(struct rlimit *limit) { return getrlimit(RLIMIT_NOFILE, limit) == 0; }
static inline void clws_set_file_limit(const struct rlimit *limit) { (void)setrlimit(RLIMIT_NOFILE, limit); }

#endif
