// Preloaded into a client, counts what it allocates and how often it locks: calls of malloc and its relatives, and of those
// that lock a mutex or a lock for readers and writers, of all threads.

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stddef.h>
#include <stdint.h>

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *old, size_t size);
extern void *__libc_memalign(size_t alignment, size_t size);

static uint64_t allocations, locks;

static void one_more(void) { __atomic_fetch_add(&allocations, 1, __ATOMIC_RELAXED); }

uint64_t bench_allocations(void) { return __atomic_load_n(&allocations, __ATOMIC_RELAXED); }
uint64_t bench_locks(void) { return __atomic_load_n(&locks, __ATOMIC_RELAXED); }

// To lock is to call the function of that name which comes next; dlsym does not lock by it.
#define COUNTED(name, type)                                                                  \
    int name(type *lock) {                                                                   \
        static int (*real)(type *);                                                          \
        int (*known)(type *) = __atomic_load_n(&real, __ATOMIC_RELAXED);                     \
        if (!known) {                                                                        \
            known = (int (*)(type *))dlsym(RTLD_NEXT, #name);                                \
            __atomic_store_n(&real, known, __ATOMIC_RELAXED);                                \
        }                                                                                    \
        __atomic_fetch_add(&locks, 1, __ATOMIC_RELAXED);                                     \
        return known(lock);                                                                  \
    }

COUNTED(pthread_mutex_lock, pthread_mutex_t)
COUNTED(pthread_mutex_trylock, pthread_mutex_t)
COUNTED(pthread_rwlock_rdlock, pthread_rwlock_t)
COUNTED(pthread_rwlock_wrlock, pthread_rwlock_t)

void *malloc(size_t size) {
    one_more();
    return __libc_malloc(size);
}

void *calloc(size_t number, size_t size) {
    one_more();
    return __libc_calloc(number, size);
}

void *realloc(void *old, size_t size) {
    one_more();
    return __libc_realloc(old, size);
}

void *memalign(size_t alignment, size_t size) {
    one_more();
    return __libc_memalign(alignment, size);
}

void *aligned_alloc(size_t alignment, size_t size) { return memalign(alignment, size); }

int posix_memalign(void **result, size_t alignment, size_t size) {
    void *made = memalign(alignment, size);
    if (!made) return ENOMEM;
    *result = made;
    return 0;
}
