// How much memory malloc has handed out and not got back, which Swift's Glibc module does not tell.

#ifndef SWIFT_LWS_HEAP_H
#define SWIFT_LWS_HEAP_H

/// Bytes of all arenas, blocks of their own (mmap) included, and what glibc keeps for each thread of freed ones. So it is off by
/// some 10 KB. -1 where it is not known.
long heap_bytes_in_use(void);

/// Blocks, counted one by one. -1 where they are not: with a sanitizer, which has a malloc of its own, and without glibc.
long heap_blocks_in_use(void);

/// Puts `handler` in the place of what Swift's runtime calls when an error is thrown, and returns that. Swift Testing has it
/// keep a stack for each address at which there was an error, of which more come up for long.
void *heap_exchange_throw_handler(void *handler);

#endif
