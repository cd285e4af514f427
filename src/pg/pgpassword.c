/*
 * pgpassword.c - a password that a command prints, for as long as it holds.
 *
 * Thread:   any that may block; the mutex guards what is remembered.
 * Memory:   one arena for the arguments.
 *
 * The command gets no shell, none of the daemon's descriptors and no blocked signals. What it says
 * on standard error is the reason when it fails; what it says on standard output is said nowhere.
 */
#include "pg/pgpassword.h"

#include "base/arena.h"
#include "base/deadline.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define MAX_OUTPUT ((size_t)64 * 1024)
#define MAX_REASON ((size_t)1024)

struct pgpassword {
    struct arena *arena; /* owned */
    char **argv;
    uint64_t ttl_ms;
    uint64_t timeout_ms;
    pthread_mutex_t mutex;
    struct buf remembered; /* under the mutex, as the next; empty: nothing is */
    struct deadline until;
};

/* --- the command --------------------------------------------------------------------------- */

struct child {
    pid_t pid;
    int fds[2]; /* its output and its errors; -1: at their ends */
};

static int spawn(const struct pgpassword *p, const int out[2], const int err[2], pid_t *pid)
{
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attributes;
    sigset_t none, all;
    int e;

    sigemptyset(&none);
    sigfillset(&all);
    CHECK(posix_spawn_file_actions_init(&files) == 0 && posix_spawnattr_init(&attributes) == 0);
    CHECK(posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0) == 0 &&
          posix_spawn_file_actions_adddup2(&files, out[1], 1) == 0 &&
          posix_spawn_file_actions_adddup2(&files, err[1], 2) == 0 &&
          posix_spawn_file_actions_addclosefrom_np(&files, 3) == 0 &&
          posix_spawnattr_setsigmask(&attributes, &none) == 0 &&
          posix_spawnattr_setsigdefault(&attributes, &all) == 0 &&
          posix_spawnattr_setpgroup(&attributes, 0) == 0 &&
          posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF |
                                                    POSIX_SPAWN_SETPGROUP) == 0);
    e = posix_spawn(pid, p->argv[0], &files, &attributes, p->argv, environ);
    posix_spawn_file_actions_destroy(&files);
    posix_spawnattr_destroy(&attributes);
    return e;
}

/* False, and why. */
static bool start(const struct pgpassword *p, struct child *c, struct buf *reason)
{
    int out[2], err[2], e;

    if (pipe2(out, O_CLOEXEC) != 0) {
        buf_printf(reason, "the password command: %s", strerror(errno));
        return false;
    }
    if (pipe2(err, O_CLOEXEC) != 0) {
        buf_printf(reason, "the password command: %s", strerror(errno));
        close(out[0]);
        close(out[1]);
        return false;
    }
    e = spawn(p, out, err, &c->pid);
    close(out[1]);
    close(err[1]);
    c->fds[0] = out[0];
    c->fds[1] = err[0];
    if (e == 0)
        return true;
    close(out[0]);
    close(err[0]);
    buf_printf(reason, "could not run the password command \"%s\": %s", p->argv[0], strerror(e));
    return false;
}

/* What is there; beyond the buffer's limit it is dropped, so that the command does not wait. */
static void drain(int *fd, struct buf *to)
{
    char part[4096];
    ssize_t n = read(*fd, part, sizeof(part));

    if (n > 0)
        buf_append(to, part, (size_t)n);
    explicit_bzero(part, sizeof(part));
    if (n == 0 || (n < 0 && errno != EINTR)) {
        close(*fd);
        *fd = -1;
    }
}

/* Until it has closed both; false: it takes too long. */
static bool read_both(struct child *c, struct buf *out, struct buf *err, struct deadline until)
{
    while (c->fds[0] >= 0 || c->fds[1] >= 0) {
        struct pollfd fds[2] = {
            {c->fds[0], POLLIN, 0},
            {c->fds[1], POLLIN, 0}
        };
        uint64_t left = deadline_left_ms(until);

        if (left == 0 || (poll(fds, 2, (int)left) < 0 && errno != EINTR))
            return false;
        if (fds[0].revents != 0)
            drain(&c->fds[0], out);
        if (fds[1].revents != 0)
            drain(&c->fds[1], err);
    }
    return true;
}

static int end(struct child *c, bool in_time)
{
    int status = 0;

    for (int i = 0; i < 2; i++)
        if (c->fds[i] >= 0)
            close(c->fds[i]);
    if (!in_time)
        kill(-c->pid, SIGKILL); /* with whatever it has started */
    while (waitpid(c->pid, &status, 0) < 0 && errno == EINTR)
        ;
    return status;
}

static void say_why(int status, bool in_time, const struct buf *err, struct buf *reason)
{
    struct str first, rest;

    (void)str_cut(str_trim(buf_str(err)), '\n', &first, &rest);
    if (!in_time)
        buf_append_lit(reason, "the password command takes too long");
    else if (WIFSIGNALED(status))
        buf_printf(reason, "the password command was ended by signal %d", WTERMSIG(status));
    else if (WEXITSTATUS(status) != 0)
        buf_printf(reason, "the password command failed with status %d", WEXITSTATUS(status));
    else
        buf_append_lit(reason, "the password command printed no password");
    if (first.len > 0)
        buf_printf(reason, ": %.*s", STR_ARG(first));
}

static bool run(const struct pgpassword *p, struct buf *out, struct buf *reason)
{
    struct buf all, err;
    struct child c;
    struct str line, rest;
    bool in_time, ok;
    int status;

    if (!start(p, &c, reason))
        return false;
    buf_init(&all, MAX_OUTPUT);
    (void)buf_reserve(&all, 4096); /* so that it does not grow, and leave copies */
    buf_init(&err, MAX_REASON);
    in_time = read_both(&c, &all, &err, deadline_in_ms(p->timeout_ms));
    status = end(&c, in_time);
    (void)str_cut(buf_str(&all), '\n', &line, &rest);
    line = str_trim(line);
    ok = in_time && WIFEXITED(status) && WEXITSTATUS(status) == 0 && buf_ok(&all) && line.len > 0 &&
         memchr(line.data, '\0', line.len) == NULL;
    if (ok)
        buf_append_str(out, line);
    else
        say_why(status, in_time, &err, reason);
    buf_wipe(&all);
    buf_fini(&all);
    buf_fini(&err);
    return ok;
}

/* --- remembering ----------------------------------------------------------------------------- */

struct pgpassword *pgpassword_new(const char *const *argv, uint64_t ttl_ms, uint64_t timeout_ms)
{
    struct pgpassword *p = xcalloc(1, sizeof(*p));
    size_t n = 0;

    p->arena = arena_new(0);
    while (argv[n] != NULL)
        n++;
    p->argv = ARENA_ARRAY(p->arena, n + 1, char *);
    for (size_t i = 0; i < n; i++)
        p->argv[i] = arena_copy(p->arena, argv[i], strlen(argv[i]) + 1);
    p->ttl_ms = ttl_ms;
    p->timeout_ms = timeout_ms;
    buf_init(&p->remembered, 0);
    CHECK(pthread_mutex_init(&p->mutex, NULL) == 0);
    return p;
}

void pgpassword_free(struct pgpassword *p)
{
    if (p == NULL)
        return;
    buf_wipe(&p->remembered);
    buf_fini(&p->remembered);
    pthread_mutex_destroy(&p->mutex);
    arena_free(p->arena);
    xfree(p);
}

static bool recall(struct pgpassword *p, struct buf *out)
{
    bool there;

    pthread_mutex_lock(&p->mutex);
    there = p->remembered.len > 0 && !deadline_passed(p->until);
    if (there)
        buf_append_str(out, buf_str(&p->remembered));
    pthread_mutex_unlock(&p->mutex);
    return there;
}

static void remember(struct pgpassword *p, struct str password)
{
    pthread_mutex_lock(&p->mutex);
    buf_wipe(&p->remembered);
    buf_append_str(&p->remembered, password);
    p->until = deadline_in_ms(p->ttl_ms);
    pthread_mutex_unlock(&p->mutex);
}

bool pgpassword_get(struct pgpassword *p, struct buf *out, bool *fresh, struct buf *reason)
{
    *fresh = !recall(p, out);
    if (!*fresh)
        return true;
    if (!run(p, out, reason))
        return false;
    if (p->ttl_ms > 0)
        remember(p, buf_str(out));
    return true;
}

void pgpassword_forget(struct pgpassword *p)
{
    pthread_mutex_lock(&p->mutex);
    buf_wipe(&p->remembered);
    pthread_mutex_unlock(&p->mutex);
}
