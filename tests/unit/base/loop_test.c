/*
 * loop_test.c - posting, watching, timing, signals.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/loop.h"
#include "base/thread.h"

static void run_loop(void *arg)
{
    loop_run(arg);
}

/* --- posting --------------------------------------------------------------------- */

enum {
    POSTERS = 4,
    POSTS = 2000
};

struct post {
    struct loop_task task;
    struct tally *tally;
    int poster, number;
};

struct tally {
    struct loop *loop;
    int next[POSTERS]; /* loop only */
    int total;
    bool wrong;
};

struct poster {
    struct tally *tally;
    int index;
    struct post posts[POSTS];
};

static void count_post(struct loop_task *t)
{
    struct post *p = CONTAINER_OF(t, struct post, task);
    struct tally *all = p->tally;

    if (p->number != all->next[p->poster]++ || !loop_is_current(all->loop))
        all->wrong = true;
    if (++all->total == POSTERS * POSTS)
        loop_stop(all->loop);
}

static void post_many(void *arg)
{
    struct poster *p = arg;

    for (int i = 0; i < POSTS; i++) {
        p->posts[i] = (struct post){
            {count_post, NULL},
            p->tally, p->index, i
        };
        loop_post(p->tally->loop, &p->posts[i].task);
        if (i % 500 == 0)
            usleep(100);
    }
}

static void test_runs_posts_of_threads_in_their_order(void **state)
{
    static struct poster posters[POSTERS];
    struct tally tally = {.loop = loop_new("tally")};
    struct thread *loop = thread_start(THREAD_LOOP, "tally", run_loop, tally.loop);
    struct thread *threads[POSTERS];

    (void)state;
    for (int i = 0; i < POSTERS; i++) {
        posters[i].tally = &tally;
        posters[i].index = i;
        threads[i] = thread_start(THREAD_HELPER, "poster", post_many, &posters[i]);
    }
    for (int i = 0; i < POSTERS; i++)
        thread_join(threads[i]);
    thread_join(loop);
    assert_int_equal(tally.total, POSTERS * POSTS);
    assert_false(tally.wrong);
    loop_free(tally.loop);
}

struct again {
    struct loop_task task;
    struct loop *loop;
    int left;
    bool timer_fired;
};

static void post_again(struct loop_task *t)
{
    struct again *g = CONTAINER_OF(t, struct again, task);

    /* Ends only because the timer is served in between. */
    if (!g->timer_fired)
        loop_post(g->loop, t);
    else
        loop_stop(g->loop);
}

static void fire(void *ctx)
{
    struct again *g = ctx;

    g->timer_fired = true;
}

/* From one loop to the other and back: each falls asleep between two of them. */
struct ball {
    struct loop_task task;
    struct loop *loops[2];
    int bounces;
};

static void bounce(struct loop_task *t)
{
    struct ball *b = CONTAINER_OF(t, struct ball, task);

    if (b->bounces++ < 20000) {
        loop_post(b->loops[b->bounces % 2], t);
        return;
    }
    loop_stop(b->loops[0]);
    loop_stop(b->loops[1]);
}

static void test_wakes_one_that_falls_asleep(void **state)
{
    struct ball b = {
        .task.fn = bounce, .loops = {loop_new("left"), loop_new("right")}
    };
    struct thread *right = thread_start(THREAD_WORKER, "right", run_loop, b.loops[1]);

    (void)state;
    alarm(60);
    loop_post(b.loops[0], &b.task);
    loop_run(b.loops[0]);
    thread_join(right);
    alarm(0);
    assert_int_equal(b.bounces, 20001);
    loop_free(b.loops[0]);
    loop_free(b.loops[1]);
}

static void test_a_task_that_posts_itself_starves_nobody(void **state)
{
    struct again g = {
        .task = {post_again, NULL},
          .loop = loop_new("again")
    };
    struct timer *t = loop_timer(g.loop, fire, &g);

    (void)state;
    timer_set(t, deadline_in_ms(5));
    loop_post(g.loop, &g.task);
    loop_run(g.loop);
    assert_true(g.timer_fired);
    timer_free(t);
    loop_free(g.loop);
}

static void count_down(struct loop_task *t)
{
    struct again *g = CONTAINER_OF(t, struct again, task);

    if (g->left-- > 0)
        loop_post(g->loop, t);
}

static void test_runs_what_was_posted_before_it_returns(void **state)
{
    struct again g = {
        .task = {count_down, NULL},
          .loop = loop_new("last"), .left = 3
    };

    (void)state;
    loop_stop(g.loop);
    loop_post(g.loop, &g.task);
    loop_run(g.loop);
    assert_int_equal(g.left, -1);
    assert_false(loop_is_current(g.loop));
    loop_free(g.loop);
}

/* --- watches --------------------------------------------------------------------- */

struct echo {
    struct loop *loop;
    struct watch *watch;
    char got[16];
    size_t n;
    int writable;
};

static void on_socket(int fd, unsigned events, void *ctx)
{
    struct echo *e = ctx;
    ssize_t n;

    if (events == LOOP_WRITE) {
        e->writable++;
        watch_set(e->watch, LOOP_READ);
        return;
    }
    n = read(fd, e->got + e->n, 1);
    if (n == 1) {
        e->n++;
        return;
    }
    /* End of file: frees itself within its handler. */
    watch_free(e->watch);
    e->watch = NULL;
    loop_stop(e->loop);
}

static void test_watches_both_directions(void **state)
{
    struct echo e = {.loop = loop_new("echo")};
    int ends[2];

    (void)state;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
    e.watch = loop_watch(e.loop, ends[0], LOOP_READ | LOOP_WRITE, on_socket, &e);
    assert_int_equal(write(ends[1], "abc", 3), 3);
    close(ends[1]);
    loop_run(e.loop);
    assert_string_equal(e.got, "abc"); /* level-triggered: read one by one */
    assert_int_equal(e.writable, 1);
    close(ends[0]);
    watch_free(NULL);
    loop_free(e.loop);
}

/* --- timers ---------------------------------------------------------------------- */

struct clock_test {
    struct loop *loop;
    struct timer *timer, *other;
    uint64_t at[4];
    int fired, other_fired;
};

static void tick(void *ctx)
{
    struct clock_test *c = ctx;

    assert_true(loop_now_ns(c->loop) <= monotonic_ns());
    c->at[c->fired++] = monotonic_ns();
    if (c->fired == 3) {
        timer_free(c->timer);
        c->timer = NULL;
        loop_stop(c->loop);
        return;
    }
    timer_set(c->timer, deadline_in_ms(10));
}

static void tock(void *ctx)
{
    struct clock_test *c = ctx;

    c->other_fired++;
}

static void test_timers_fire_once_and_never_early(void **state)
{
    struct clock_test c = {.loop = loop_new("timers")};
    uint64_t start = monotonic_ns();

    (void)state;
    c.timer = loop_timer(c.loop, tick, &c);
    c.other = loop_timer(c.loop, tock, &c);
    timer_set(c.timer, deadline_in_ms(500));
    timer_set(c.timer, deadline_in_ms(5));  /* earlier */
    timer_set(c.timer, deadline_in_ms(10)); /* later */
    timer_set(c.other, deadline_in_ms(1));
    timer_clear(c.other);
    loop_run(c.loop);
    assert_int_equal(c.fired, 3);
    assert_int_equal(c.other_fired, 0);
    for (int i = 0; i < 3; i++) {
        assert_true(c.at[i] - start >= UINT64_C(10000000));
        assert_true(c.at[i] - start < UINT64_C(450000000));
        start = c.at[i];
    }
    timer_set(c.other, deadline_in_ms(1));
    timer_set(c.other, DEADLINE_NEVER);
    c.timer = loop_timer(c.loop, tick, &c);
    c.fired = 2;
    timer_set(c.timer, (struct deadline){0}); /* long past: fires at once */
    loop_run(c.loop);
    assert_int_equal(c.fired, 3);
    timer_free(c.other);
    timer_free(NULL);
    loop_free(c.loop);
}

/* --- signals --------------------------------------------------------------------- */

static void on_usr1(int signo, void *ctx)
{
    assert_int_equal(signo, SIGUSR1);
    loop_stop(ctx);
}

static void test_delivers_signals(void **state)
{
    struct loop *l = loop_new("signals");

    (void)state;
    loop_signal(l, SIGUSR1, on_usr1, l);
    raise(SIGUSR1);
    loop_run(l);
    loop_free(l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_runs_posts_of_threads_in_their_order),
        cmocka_unit_test(test_wakes_one_that_falls_asleep),
        cmocka_unit_test(test_a_task_that_posts_itself_starves_nobody),
        cmocka_unit_test(test_runs_what_was_posted_before_it_returns),
        cmocka_unit_test(test_watches_both_directions),
        cmocka_unit_test(test_timers_fire_once_and_never_early),
        cmocka_unit_test(test_delivers_signals),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
