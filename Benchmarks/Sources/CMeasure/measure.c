// The command line, the payload, the clocks, and the line of results: see measure.h.

#define _GNU_SOURCE
#include "measure.h"

#include <dirent.h>
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

void bench_fail(const char *what) {
    fprintf(stderr, "failed: %s\n", what);
    exit(1);
}

// Command line

// The URL's own path, or the one that the workload needs.
static const char *chosen_path(const char *path, const bench_options *options) {
    char blast[64];
    if (path[0]) return strdup(path);
    if (!strcmp(options->workload, "send")) return "/sink";
    if (strcmp(options->workload, "receive")) return "/echo";
    snprintf(blast, sizeof blast, "/blast/%zu/%zu", options->size, options->count);
    return strdup(blast);
}

bench_options bench_parse(int argc, char *const *argv) {
    bench_options options = {0};
    options.size = 64;
    options.count = 1000;
    options.warmup = (size_t)-1;
    options.clients = 1;
    options.batch = 1;
    for (int at = 1; at < argc; at++) {
        const char *word = argv[at], *value = at + 1 < argc ? argv[at + 1] : "0";
        size_t number = strtoull(value, NULL, 10);
        if (word[0] != '-') {
            if (!options.workload) options.workload = word;
            else options.url = word;
        } else if (!strcmp(word, "--compress")) options.compress = true;
        else if (!strcmp(word, "--resume")) options.resume = true;
        else if (!strcmp(word, "--events")) options.events = true;
        else if (!strcmp(word, "--uv")) options.uv = true;
        else if (at++, !strcmp(word, "--size")) options.size = number;
        else if (!strcmp(word, "--count")) options.count = number;
        else if (!strcmp(word, "--warmup")) options.warmup = number;
        else if (!strcmp(word, "--clients")) options.clients = number;
        else if (!strcmp(word, "--batch")) options.batch = number;
        else if (!strcmp(word, "--ca")) options.ca = value;
        else options.url = NULL, at = argc;
    }
    char host[64] = "", path[128] = "";
    if (options.url && options.workload) {
        options.tls = strncmp(options.url, "wss:", 4) == 0;
        if (sscanf(options.url, "%*[a-z]://%63[^:/]:%d%127s", host, &options.port, path) >= 2) {
            if (options.warmup == (size_t)-1) options.warmup = options.count / 10 + 1;
            options.host = strdup(host);
            options.path = chosen_path(path, &options);
            return options;
        }
    }
    fprintf(stderr,
            "usage: %s roundtrip|receive|send|connect|idle|beside ws[s]://HOST:PORT[/PATH] [--size N] [--count N] [--warmup N]\n"
            "       [--clients N] [--batch N] [--compress] [--ca FILE] [--resume] [--events] [--uv]\n", argv[0]);
    exit(2);
}

// Payload

enum { text_step = 61, text_steps = 64, text_largest = 1 << 20, text_size = text_step * text_steps + text_largest };

const uint8_t *bench_payload(size_t number, size_t size) {
    static uint8_t *text;
    if (size > text_largest) bench_fail("a message can have 1 MiB at most");
    if (!__atomic_load_n(&text, __ATOMIC_ACQUIRE)) {
        uint8_t *made = malloc(text_size), *none = NULL;
        uint32_t state = 1;
        for (size_t at = 0; at < text_size; at++) {
            state = state * 1103515245u + 12345u;
            made[at] = (uint8_t) "abcdefghijklmnop"[state >> 16 & 15];
        }
        if (!__atomic_compare_exchange_n(&text, &none, made, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) free(made);
    }
    return text + number % text_steps * text_step;
}

bool bench_check_piece(size_t number, size_t offset, const uint8_t *bytes, size_t count, size_t size) {
    if (offset + count > size) return false;
    const uint8_t *expected = bench_payload(number, size) + offset;
    size_t end = count < 16 ? count : 16;
    if (number % 64 == 0) return memcmp(bytes, expected, count) == 0;
    return memcmp(bytes, expected, end) == 0 && memcmp(bytes + count - end, expected + count - end, end) == 0;
}

bool bench_check(size_t number, const uint8_t *bytes, size_t count, size_t size) {
    return count == size && bench_check_piece(number, 0, bytes, count, size);
}

size_t bench_ring(size_t size) { return size > 65536 ? 4 : 64; }

size_t bench_report(char *text, size_t capacity, size_t count, size_t size) {
    return (size_t)snprintf(text, capacity, "%zu %zu", count, count * size);
}

// Clocks

enum { thread_limit = 512 };

typedef struct thread_time {
    int id;
    char name[24];
    double time;
} thread_time;

typedef struct snapshot {
    double wall, user, system;
    long switches;
    uint64_t allocations, locks;
    int thread_count;
    thread_time threads[thread_limit];
} snapshot;

static snapshot before, after;

static double clock_seconds(clockid_t clock) {
    struct timespec time;
    if (clock_gettime(clock, &time) != 0) return 0;
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

// Where the library is preloaded that counts calls: one of its counts so far.
static bool counted(const char *name, uint64_t *count) {
    uint64_t (*counter)(void) = (uint64_t (*)(void))dlsym(RTLD_DEFAULT, name);
    if (counter) *count = counter();
    return counter != NULL;
}

static void take_threads(snapshot *shot) {
    shot->thread_count = 0;
    DIR *folder = opendir("/proc/self/task");
    if (!folder) return;
    for (struct dirent *entry; (entry = readdir(folder)) && shot->thread_count < thread_limit;) {
        int id = atoi(entry->d_name);
        if (id == 0) continue;
        thread_time *thread = &shot->threads[shot->thread_count++];
        thread->id = id;
        // The clock of a thread by its id, as the kernel numbers them (CPUCLOCK_PERTHREAD_MASK | CPUCLOCK_SCHED).
        thread->time = clock_seconds((clockid_t)(~(unsigned)id << 3 | 6));
        char path[64];
        snprintf(path, sizeof path, "/proc/self/task/%d/comm", id);
        FILE *file = fopen(path, "r");
        if (file) {
            if (fscanf(file, "%23[^\n\"\\]", thread->name) != 1) thread->name[0] = 0;
            fclose(file);
        }
    }
    closedir(folder);
}

static void take_process(snapshot *shot) {
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    shot->user = (double)usage.ru_utime.tv_sec + (double)usage.ru_utime.tv_usec / 1e6;
    shot->system = (double)usage.ru_stime.tv_sec + (double)usage.ru_stime.tv_usec / 1e6;
    shot->switches = usage.ru_nvcsw;
    counted("bench_allocations", &shot->allocations);
    counted("bench_locks", &shot->locks);
    shot->wall = clock_seconds(CLOCK_MONOTONIC);
}

void bench_start(void) {
    take_threads(&before);
    take_process(&before);
}

void bench_stop(void) {
    take_process(&after);
    take_threads(&after);
}

static struct {
    pthread_barrier_t barrier;
    void (*work)(size_t, bool, void *);
    void *context;
} shared;

static void *run_thread(void *index) {
    shared.work((size_t)index, false, shared.context);
    if (pthread_barrier_wait(&shared.barrier) == PTHREAD_BARRIER_SERIAL_THREAD) bench_start();
    pthread_barrier_wait(&shared.barrier);
    shared.work((size_t)index, true, shared.context);
    if (pthread_barrier_wait(&shared.barrier) == PTHREAD_BARRIER_SERIAL_THREAD) bench_stop();
    pthread_barrier_wait(&shared.barrier);
    return NULL;
}

void bench_in_threads(size_t threads, void (*work)(size_t index, bool measured, void *context), void *context) {
    pthread_t all[threads];
    shared.work = work;
    shared.context = context;
    pthread_barrier_init(&shared.barrier, NULL, (unsigned)threads);
    for (size_t at = 0; at < threads; at++)
        if (pthread_create(&all[at], NULL, run_thread, (void *)at) != 0) bench_fail("no thread");
    for (size_t at = 0; at < threads; at++) pthread_join(all[at], NULL);
    pthread_barrier_destroy(&shared.barrier);
}

typedef struct spread {
    size_t count, next;
    void (*work)(size_t index, void *context);
    void *context;
} spread;

static void *run_spread(void *argument) {
    spread *spread = argument;
    size_t index;
    while ((index = __atomic_fetch_add(&spread->next, 1, __ATOMIC_RELAXED)) < spread->count)
        spread->work(index, spread->context);
    return NULL;
}

void bench_spread(size_t count, size_t threads, void (*work)(size_t index, void *context), void *context) {
    pthread_t all[threads];
    spread spread = {.count = count, .work = work, .context = context};
    for (size_t at = 0; at < threads; at++)
        if (pthread_create(&all[at], NULL, run_spread, &spread) != 0) bench_fail("no thread");
    for (size_t at = 0; at < threads; at++) pthread_join(all[at], NULL);
}

size_t bench_memory(void) {
    size_t pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    if (!file || fscanf(file, "%*u %zu", &pages) != 1) bench_fail("/proc/self/statm cannot be read");
    fclose(file);
    return pages * (size_t)sysconf(_SC_PAGESIZE);
}

size_t bench_threads(void) {
    size_t count = 0;
    DIR *folder = opendir("/proc/self/task");
    if (!folder) bench_fail("/proc/self/task cannot be read");
    for (struct dirent *entry; (entry = readdir(folder));)
        if (entry->d_name[0] != '.') count++;
    closedir(folder);
    return count;
}

void bench_raise_limits(void) {
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
}

// Results

static double *samples;
static size_t sample_count, sample_capacity;

double bench_now(void) { return clock_seconds(CLOCK_MONOTONIC); }

void bench_sample(double seconds) {
    if (sample_count == sample_capacity)
        samples = realloc(samples, (sample_capacity = sample_capacity * 2 + 64) * sizeof *samples);
    samples[sample_count++] = seconds;
}

static int compare_samples(const void *one, const void *other) {
    double difference = *(const double *)one - *(const double *)other;
    return difference < 0 ? -1 : difference > 0;
}

static char notes[1024];

void bench_note(const char *name, double value) {
    size_t used = strlen(notes);
    snprintf(notes + used, sizeof notes - used, ", \"%s\": %.9g", name, value);
}

// One entry for the threads of a name.
static void print_threads(void) {
    printf(", \"threads\": [");
    const char *separator = "";
    for (int at = 0; at < after.thread_count; at++) {
        thread_time *thread = &after.threads[at];
        if (!thread->id) continue;
        double time = 0;
        int count = 0;
        for (int same = after.thread_count - 1; same >= at; same--) {
            if (strcmp(after.threads[same].name, thread->name) != 0) continue;
            time += after.threads[same].time;
            for (int old = 0; old < before.thread_count; old++)
                if (before.threads[old].id == after.threads[same].id) time -= before.threads[old].time;
            after.threads[same].id = 0;
            count++;
        }
        printf("%s{\"name\": \"%s\", \"count\": %d, \"cpu\": %.9f}", separator, thread->name, count, time);
        separator = ", ";
    }
    printf("]");
}

// The libwebsockets that this process has loaded, so that a run with another one than asked for is noticed.
static void print_library(void) {
    char line[512], path[512];
    FILE *file = fopen("/proc/self/maps", "r");
    while (file && fgets(line, sizeof line, file))
        if (strstr(line, "/libwebsockets.so") && sscanf(line, "%*s %*s %*s %*s %*s %511s", path) == 1) {
            printf(", \"libwebsockets\": \"%s\"", path);
            break;
        }
    if (file) fclose(file);
}

void bench_print(const bench_options *options, double operations) {
    printf("{\"workload\": \"%s\", \"size\": %zu, \"count\": %zu, \"clients\": %zu", options->workload, options->size,
           options->count, options->clients);
    printf(", \"operations\": %.0f, \"seconds\": %.9f, \"user\": %.6f, \"system\": %.6f, \"switches\": %ld", operations,
           after.wall - before.wall, after.user - before.user, after.system - before.system,
           after.switches - before.switches);
    uint64_t ignored;
    if (counted("bench_allocations", &ignored))
        printf(", \"allocations\": %llu, \"locks\": %llu", (unsigned long long)(after.allocations - before.allocations),
               (unsigned long long)(after.locks - before.locks));
    if (sample_count > 0) {
        qsort(samples, sample_count, sizeof *samples, compare_samples);
        printf(", \"median\": %.9f, \"percentile_99\": %.9f, \"longest\": %.9f", samples[sample_count / 2],
               samples[sample_count * 99 / 100], samples[sample_count - 1]);
    }
    printf(", \"memory\": %zu%s", bench_memory(), notes);
    print_threads();
    print_library();
    printf("}\n");
    fflush(stdout);
}
