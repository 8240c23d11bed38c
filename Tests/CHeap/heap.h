// How much memory malloc has handed out and not got back, which Swift's Glibc module does not tell.

#ifndef SWIFT_LWS_HEAP_H
#define SWIFT_LWS_HEAP_H

#include <malloc.h>
#include <stddef.h>

/// Bytes of all arenas, blocks of their own (mmap) included. Exact where glibc keeps no freed blocks for each thread, which
/// `GLIBC_TUNABLES=glibc.malloc.tcache_count=0` turns off.
static inline size_t heap_in_use(void) {
    struct mallinfo2 info = mallinfo2();
    return info.uordblks + info.hblkhd;
}

#endif
