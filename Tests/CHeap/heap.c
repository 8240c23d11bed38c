// glibc's malloc, with a count of what is in use. A program may replace all of these functions together, for its libraries as
// well (the GNU C Library manual, "Replacing malloc").

#include "heap.h"

#include <stdatomic.h>
#include <stdlib.h>

// swift/Runtime/Error.h
extern _Atomic(void *) _swift_willThrow;

void *heap_exchange_throw_handler(void *handler) { return atomic_exchange(&_swift_willThrow, handler); }

#if defined(__GLIBC__)
#include <errno.h>
#include <malloc.h>
#include <stdbool.h>

long heap_bytes_in_use(void) {
    struct mallinfo2 info = mallinfo2();
    return (long)(info.uordblks + info.hblkhd);
}
#else
long heap_bytes_in_use(void) { return -1; }
#endif

#if defined(__GLIBC__) && !__has_feature(address_sanitizer) && !__has_feature(thread_sanitizer)
extern void *__libc_malloc(size_t);
extern void *__libc_calloc(size_t, size_t);
extern void *__libc_realloc(void *, size_t);
extern void *__libc_memalign(size_t, size_t);
extern void *__libc_valloc(size_t);
extern void *__libc_pvalloc(size_t);
extern void __libc_free(void *);

static _Atomic long blocks;

static void *counted(void *block) {
    if (block) atomic_fetch_add_explicit(&blocks, 1, memory_order_relaxed);
    return block;
}

void *malloc(size_t size) { return counted(__libc_malloc(size)); }
void *calloc(size_t count, size_t size) { return counted(__libc_calloc(count, size)); }
void *memalign(size_t alignment, size_t size) { return counted(__libc_memalign(alignment, size)); }
void *aligned_alloc(size_t alignment, size_t size) { return counted(__libc_memalign(alignment, size)); }
void *valloc(size_t size) { return counted(__libc_valloc(size)); }
void *pvalloc(size_t size) { return counted(__libc_pvalloc(size)); }

int posix_memalign(void **block, size_t alignment, size_t size) {
    bool is_power = alignment != 0 && (alignment & (alignment - 1)) == 0;
    if (!is_power || alignment % sizeof(void *) != 0) return EINVAL;
    int before = errno;
    void *made = counted(__libc_memalign(alignment, size));
    errno = before;
    if (!made) return ENOMEM;
    *block = made;
    return 0;
}

void free(void *block) {
    if (block) atomic_fetch_sub_explicit(&blocks, 1, memory_order_relaxed);
    __libc_free(block);
}

void *realloc(void *block, size_t size) {
    if (!block) return malloc(size);
    if (size == 0) {
        free(block);
        return NULL;
    }
    return __libc_realloc(block, size);
}

long heap_blocks_in_use(void) { return atomic_load_explicit(&blocks, memory_order_relaxed); }
#else
long heap_blocks_in_use(void) { return -1; }
#endif
