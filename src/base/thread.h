/*
 * thread.h - start, name and join; which kind of thread is this?
 */
#ifndef BASE_THREAD_H
#define BASE_THREAD_H

#include "base/str.h"

enum thread_kind {
    THREAD_MAIN, /* before and after the daemon runs, and commands */
    THREAD_LOOP,
    THREAD_WORKER,
    THREAD_HELPER,
    THREAD_JOBS,
};

struct thread;

/* All signals are blocked in the new thread. Aborts when the system has no thread left. */
struct thread *thread_start(enum thread_kind kind, const char *name, void (*fn)(void *), void *arg);
/* Waits for its end and frees it. */
void thread_join(struct thread *t);
/* The same within a time; false: it goes on, and what it uses must stay. */
NODISCARD bool thread_join_within(struct thread *t, uint64_t ms);
enum thread_kind thread_kind(void);
/* The main thread becomes the loop. */
void thread_become(enum thread_kind kind, const char *name);
/* Aborts in debug builds when called on another kind of thread. */
void thread_check(enum thread_kind kind);
/* Processors this process may use: affinity and cgroup quota, at least 1. */
unsigned thread_cpus(void);
/* The same from the text of a cgroup's cpu.max, "quota period", rounded up; 0: no quota. */
unsigned thread_quota(struct str cpu_max);

#endif
