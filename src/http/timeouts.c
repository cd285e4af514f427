/*
 * timeouts.c - absolute deadlines of many objects with one timer.
 *
 * Thread:   the loop's only.
 * Memory:   see timeouts.h.
 */
#include "http/timeouts.h"

/* Ends of one sweep: the rest follows in the next round, behind what else is due. */
#define MAX_SWEEP 256

static void arm(struct timeouts *t)
{
    uint64_t at = UINT64_MAX;
    size_t i;

    for (i = 0; i < TIMEOUT_KINDS; i++)
        if (t->lists[i].next != &t->lists[i] && t->lists[i].next->at_ns < at)
            at = t->lists[i].next->at_ns;
    t->armed_ns = at;
    if (at != UINT64_MAX)
        timer_set(t->timer, (struct deadline){at});
}

static void sweep(void *ctx)
{
    struct timeouts *t = ctx;
    uint64_t now = monotonic_ns();
    size_t left = MAX_SWEEP;
    size_t i;

    /* Nothing started meanwhile needs to arm the timer: it is armed at the end. */
    t->armed_ns = 0;
    for (i = 0; i < TIMEOUT_KINDS; i++) {
        struct timeout_link *head = &t->lists[i];

        while (head->next != head && head->next->at_ns <= now && left > 0) {
            struct timeout_link *l = head->next;

            timeouts_stop(l);
            t->fn(l, (enum timeout_kind)i, t->ctx);
            left--;
        }
    }
    arm(t);
}

void timeouts_init(struct timeouts *t, struct loop *l, const uint64_t duration_ms[TIMEOUT_KINDS],
                   timeout_handler *fn, void *ctx)
{
    size_t i;

    t->loop = l;
    t->timer = loop_timer(l, sweep, t);
    t->armed_ns = UINT64_MAX;
    t->fn = fn;
    t->ctx = ctx;
    for (i = 0; i < TIMEOUT_KINDS; i++) {
        t->duration_ns[i] = duration_ms[i] * UINT64_C(1000000);
        t->lists[i].prev = t->lists[i].next = &t->lists[i];
    }
}

/* The lists stay in the order of their ends: what comes behind ends no sooner. */
void timeouts_set(struct timeouts *t, enum timeout_kind kind, uint64_t duration_ms)
{
    struct timeout_link *head = &t->lists[kind];
    uint64_t longest;

    t->duration_ns[kind] = duration_ms * UINT64_C(1000000);
    longest = t->duration_ns[kind] > 0 ? loop_now_ns(t->loop) + t->duration_ns[kind] : UINT64_MAX;
    for (struct timeout_link *l = head->next; l != head; l = l->next)
        l->at_ns = l->at_ns < longest ? l->at_ns : longest;
    arm(t);
}

void timeouts_fini(struct timeouts *t)
{
    timer_free(t->timer);
    t->timer = NULL;
}

void timeout_link_init(struct timeout_link *l)
{
    l->kind = TIMEOUT_NONE;
}

void timeouts_stop(struct timeout_link *l)
{
    if (l->kind == TIMEOUT_NONE)
        return;
    l->prev->next = l->next;
    l->next->prev = l->prev;
    l->kind = TIMEOUT_NONE;
}

void timeouts_start(struct timeouts *t, struct timeout_link *l, enum timeout_kind kind)
{
    struct timeout_link *head = &t->lists[kind];

    timeouts_stop(l);
    if (t->duration_ns[kind] == 0)
        return;
    l->at_ns = loop_now_ns(t->loop) + t->duration_ns[kind];
    l->kind = kind;
    l->prev = head->prev;
    l->next = head;
    head->prev->next = l;
    head->prev = l;
    if (l->at_ns < t->armed_ns) {
        t->armed_ns = l->at_ns;
        timer_set(t->timer, (struct deadline){l->at_ns});
    }
}
