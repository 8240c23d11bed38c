// What the replaced functions ask.

#ifndef FAILING_H
#define FAILING_H

#include <stdbool.h>

enum call {
#define CALL(name, error) call_##name##_##error,
#include "calls.def"
#undef CALL
    call_count
};

/// Whether the call that is being made from there is the one that is to fail in that way.
bool must_fail(enum call call, void *caller);

/// Whether the program itself makes the call, and not a library.
bool is_program(void *caller);

#endif
