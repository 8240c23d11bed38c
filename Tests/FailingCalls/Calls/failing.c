// Which call fails: whose calls are counted, and up to what.

#define _GNU_SOURCE
#include "failing_calls.h"
#include "failing.h"

#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <link.h>
#include <netdb.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static const struct failing_call calls[] = {
#define CALL(name, error) {#name, error, #error},
#include "calls.def"
#undef CALL
};

int failing_call_count(void) { return call_count; }
struct failing_call failing_call_at(int index) { return calls[index]; }

// ---- Whose calls

struct range {
    uintptr_t start, end;
    bool is_program;
};
static struct range ranges[8];
static int range_count;

static bool is_watched(const char *object) {
    static const char *const names[] = {"/libwebsockets.so", "/libssl.so", "/libcrypto.so", "/libz.so"};
    if (!*object) return true; // the program
    for (int index = 0; index < 4; index++)
        if (strstr(object, names[index])) return true;
    return false;
}

static int add_object(struct dl_phdr_info *info, size_t size, void *unused) {
    (void)size; (void)unused;
    if (!is_watched(info->dlpi_name)) return 0;
    for (int index = 0; index < info->dlpi_phnum && range_count < 8; index++) {
        const ElfW(Phdr) *part = &info->dlpi_phdr[index];
        if (part->p_type != PT_LOAD || !(part->p_flags & PF_X)) continue;
        uintptr_t start = info->dlpi_addr + part->p_vaddr;
        ranges[range_count++] = (struct range){start, start + part->p_memsz, !*info->dlpi_name};
    }
    return 0;
}

__attribute__((constructor)) static void find_objects(void) {
    // Its first call loads a library.
    void *frame;
    backtrace(&frame, 1);
    dl_iterate_phdr(add_object, NULL);
}

static const struct range *range_of(void *caller) {
    for (int index = 0; index < range_count; index++)
        if ((uintptr_t)caller >= ranges[index].start && (uintptr_t)caller < ranges[index].end) return &ranges[index];
    return NULL;
}

bool is_program(void *caller) {
    const struct range *range = range_of(caller);
    return range && range->is_program;
}

static bool is_counted(enum call call, void *caller) {
    // The program's own memory is Swift's, and Swift does without none.
    return range_of(caller) && (call != call_malloc_ENOMEM || !is_program(caller));
}

// ---- Which one

static atomic_int armed = -1;
static int current;
static long current_number;
static atomic_long left;
static atomic_bool has_failed;
static void *frames[24];
static int frame_count;

bool must_fail(enum call call, void *caller) {
    if (atomic_load_explicit(&armed, memory_order_acquire) != (int)call || !is_counted(call, caller)) return false;
    if (atomic_fetch_sub(&left, 1) != 1) return false;
    // What it calls is not to fail, and nothing else any more.
    atomic_store(&armed, -1);
    frame_count = backtrace(frames, sizeof frames / sizeof *frames);
    atomic_store(&has_failed, true);
    return true;
}

void failing_calls_begin(int index, long number) {
    atomic_store(&has_failed, false);
    atomic_store(&left, number);
    current = index;
    current_number = number;
    atomic_store_explicit(&armed, index, memory_order_release);
}

bool failing_calls_end(void) {
    atomic_store(&armed, -1);
    if (atomic_load(&left) > 0) return false;
    // It may be in the midst of noting where.
    while (!atomic_load(&has_failed)) sched_yield();
    return true;
}

// ---- In processes of their own

pid_t failing_calls_fork(void) { return fork(); }

int failing_calls_wait(pid_t child) {
    int status;
    while (waitpid(child, &status, 0) < 0)
        if (errno != EINTR) return 127;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

// ---- Where

static void describe(void *frame, char *text, size_t size) {
    Dl_info info;
    if (!dladdr(frame, &info) || !info.dli_fname) {
        snprintf(text, size, "?");
        return;
    }
    const char *slash = strrchr(info.dli_fname, '/');
    if (info.dli_sname) snprintf(text, size, "%s", info.dli_sname);
    else snprintf(text, size, "%s+0x%lx", slash ? slash + 1 : info.dli_fname, (uintptr_t)frame - (uintptr_t)info.dli_fbase);
}

const char *failing_call_place(void) {
    static char text[4096];
    size_t used = 0;
    text[0] = 0;
    // Without this file's own two.
    for (int index = 2; index < frame_count && used + 256 < sizeof text; index++) {
        if (index > 2) text[used++] = ' ';
        describe(frames[index], text + used, 250);
        used += strlen(text + used);
    }
    return text;
}

static void tell_crash(int signal_number) {
    void *stack[40];
    int count = backtrace(stack, 40);
    dprintf(STDOUT_FILENO, "signal %d at %s:%s %ld, in", signal_number, calls[current].name, calls[current].error_name,
            current_number);
    for (int index = 2; index < count; index++) {
        char text[256];
        describe(stack[index], text, sizeof text);
        dprintf(STDOUT_FILENO, " %s", text);
    }
    dprintf(STDOUT_FILENO, "; that was made in %s\n", failing_call_place());
    signal(signal_number, SIG_DFL);
    raise(signal_number);
}

void failing_calls_tell_crashes(void) {
    static const int signals[] = {SIGSEGV, SIGBUS, SIGABRT, SIGILL, SIGTRAP, SIGFPE, SIGALRM};
    for (int index = 0; index < 7; index++) {
        struct sigaction action = {.sa_handler = tell_crash, .sa_flags = SA_NODEFER};
        sigaction(signals[index], &action, NULL);
    }
}
