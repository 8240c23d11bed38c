// A leak, loaded into the test run to see that LeakSanitizer finds one: see test-asan in the Makefile.

#include <stdlib.h>

__attribute__((noinline)) static void leak(size_t size) {
    char *volatile lost = malloc(size);
    lost[0] = 1;
}

__attribute__((constructor)) static void leak_some(void) {
    for (size_t size = 1000; size < 9000; size += 1000) leak(size);
}
