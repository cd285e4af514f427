/*
 * thread.c - POSIX threads with a kind, and how many of them make sense.
 *
 * Thread:   any.
 * Memory:   a struct thread lives until it is joined.
 */
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <unistd.h>

#include "base/condition.h"
#include "base/str.h"
#include "base/thread.h"

struct thread {
    pthread_t id;
    enum thread_kind kind;
    char name[16]; /* what the kernel keeps */
    void (*fn)(void *);
    void *arg;
    pthread_mutex_t mutex;
    pthread_cond_t end;
    bool ended; /* under the mutex */
};

static _Thread_local enum thread_kind current_kind = THREAD_MAIN;

static void *begin(void *arg)
{
    struct thread *t = arg;

    current_kind = t->kind;
    pthread_setname_np(pthread_self(), t->name);
    t->fn(t->arg);
    pthread_mutex_lock(&t->mutex);
    t->ended = true;
    pthread_cond_signal(&t->end);
    pthread_mutex_unlock(&t->mutex);
    return NULL;
}

struct thread *thread_start(enum thread_kind kind, const char *name, void (*fn)(void *), void *arg)
{
    struct thread *t = xcalloc(1, sizeof(*t));
    sigset_t all, before;

    t->kind = kind;
    t->fn = fn;
    t->arg = arg;
    snprintf(t->name, sizeof(t->name), "%s", name);
    CHECK(pthread_mutex_init(&t->mutex, NULL) == 0);
    condition_init(&t->end);
    sigfillset(&all);
    CHECK(pthread_sigmask(SIG_SETMASK, &all, &before) == 0);
    CHECK(pthread_create(&t->id, NULL, begin, t) == 0);
    CHECK(pthread_sigmask(SIG_SETMASK, &before, NULL) == 0);
    return t;
}

void thread_join(struct thread *t)
{
    CHECK(pthread_join(t->id, NULL) == 0);
    pthread_cond_destroy(&t->end);
    pthread_mutex_destroy(&t->mutex);
    xfree(t);
}

bool thread_join_within(struct thread *t, uint64_t ms)
{
    struct deadline until = deadline_in_ms(ms);
    bool ended;

    pthread_mutex_lock(&t->mutex);
    while (!t->ended && !deadline_passed(until))
        (void)condition_wait(&t->end, &t->mutex, until);
    ended = t->ended;
    pthread_mutex_unlock(&t->mutex);
    if (ended)
        thread_join(t);
    else
        CHECK(pthread_detach(t->id) == 0);
    return ended;
}

enum thread_kind thread_kind(void)
{
    return current_kind;
}

void thread_become(enum thread_kind kind, const char *name)
{
    char shortened[16];

    current_kind = kind;
    snprintf(shortened, sizeof(shortened), "%s", name);
    pthread_setname_np(pthread_self(), shortened);
}

void thread_check(enum thread_kind kind)
{
#ifdef DEBUG
    CHECK(current_kind == kind);
#else
    (void)kind;
#endif
}

unsigned thread_quota(struct str cpu_max)
{
    struct str quota_text, period_text;
    uint64_t quota, period;

    str_cut(str_trim(cpu_max), ' ', &quota_text, &period_text);
    if (!str_to_u64(quota_text, &quota) || !str_to_u64(period_text, &period) || period == 0 ||
        quota > UINT64_MAX - period)
        return 0;
    quota = (quota + period - 1) / period;
    return quota > 0 && quota < 65536 ? (unsigned)quota : 0;
}

/* A small file of the kernel's; empty when it cannot be read. */
static struct str read_small(const char *path, char *into, size_t size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n;

    if (fd < 0)
        return str_make(NULL, 0);
    n = read(fd, into, size);
    close(fd);
    return str_make(into, n > 0 ? (size_t)n : 0);
}

/* The path of our group in the unified hierarchy: the line "0::/path". */
static struct str own_group(struct str groups)
{
    struct str line;

    while (groups.len > 0) {
        str_cut(groups, '\n', &line, &groups);
        if (str_starts(line, STR("0::")))
            return str_sub(line, 3, SIZE_MAX);
    }
    return STR("/");
}

/* The tightest quota from our group up to the root; 0: none. */
static unsigned cgroup_quota(void)
{
    char groups[4096], text[128], path[4200];
    struct str group = own_group(read_small("/proc/self/cgroup", groups, sizeof(groups)));
    unsigned least = 0;

    for (;;) {
        unsigned quota;

        snprintf(path, sizeof(path), "/sys/fs/cgroup%.*s/cpu.max", STR_ARG(group));
        quota = thread_quota(read_small(path, text, sizeof(text)));
        if (quota > 0 && (least == 0 || quota < least))
            least = quota;
        if (group.len == 0)
            return least;
        do {
            group.len--;
        } while (group.len > 0 && group.data[group.len] != '/');
    }
}

unsigned thread_cpus(void)
{
    unsigned quota = cgroup_quota();
    unsigned cpus = 1;
    cpu_set_t set;

    if (sched_getaffinity(0, sizeof(set), &set) == 0 && CPU_COUNT(&set) > 0)
        cpus = (unsigned)CPU_COUNT(&set);
    return quota > 0 && quota < cpus ? quota : cpus;
}
