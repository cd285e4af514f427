/*
 * result_errands.h - what is asked of the result cache, and told to it, that no request waits for.
 *
 * Thread:   a worker's.
 * Not here: when (result.c).
 */
#ifndef EXECUTION_RESULT_ERRANDS_H
#define EXECUTION_RESULT_ERRANDS_H

#include "execution/execute.h"

/* Finds out what answers of the plan depend on. */
void result_ask_rule(const struct execution *x);
/* Keeps an answer. Takes over what the execution leads and has claimed. */
void result_store(struct execution *x, struct str value);
/* Lets other daemons make it; without this they would as soon as the claim has expired. */
void result_release(struct resultcache *rc, const char *key_text, struct pgclient *pg);

#endif
