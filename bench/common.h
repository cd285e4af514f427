/*
 * common.h - what the benchmark's programs share: parameters, CPU accounts, tokens, operations.
 *
 * Thread:   each program has one.
 * Memory:   until exit, unless said otherwise.
 * Not here: anything of the daemon; these programs link nothing of it.
 */
#ifndef BENCH_COMMON_H
#define BENCH_COMMON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Columns of the pool file that pool.sql writes. */
enum {
    POOL_TENANT,
    POOL_USER,
    POOL_PROJECT,
    POOL_TASK,
    POOL_COLUMNS,
    UUID_ROOM = 37
};

struct pool_row {
    char value[POOL_COLUMNS][UUID_ROOM];
};

struct pool {
    struct pool_row *rows;
    size_t count;
};

/*
 * One operation of the benchmark. The yardstick answers it with `json_sql`, the limit is taken with
 * `column_sql` (typed columns in binary, as the daemon reads them), a load is made of the document
 * NAME.graphql. Every parameter is a letter: u user, p project, k task, a "ACTIVE", o "TODO",
 * s a task status, t a title, d a description.
 */
struct operation {
    const char *name;
    int weight; /* share of the mix, in percent */
    bool mutation;
    const char *parameters;
    const char *json_sql;
    const char *column_sql;
    const char *answer_prefix; /* how a right answer begins */
};

enum {
    OPERATION_COUNT = 8,
    MAX_PARAMETERS = 4
};

/* The case study's mix: 78 % queries. */
extern const struct operation operations[OPERATION_COUNT];

/* The description of created tasks: as long as the others', so that lists keep their size. */
extern const char *const created_description;

/* The first statement of every batch: tenant $1, statement timeout $2. */
extern const char *const context_sql;

/* Write a message to stderr and exit with status 1. */
_Noreturn void fail(const char *what, const char *detail);

/* malloc and realloc that do not return without memory. */
void *xalloc(size_t size);
void *xgrow(void *old, size_t size);

struct pool pool_read(const char *path);

/* The index of the operation called so, or -1. */
int operation_find(const char *name, size_t len);

/*
 * Reads "q1u:15,q2:20" into weights; "mix" is all operations, "mix-read" the queries only, a bare
 * name that operation alone.
 */
void weights_parse(const char *text, int weights[OPERATION_COUNT]);

/* Draws an operation by its weight. */
int weights_draw(const int weights[OPERATION_COUNT], uint64_t *random);

/* xorshift64*: the same sequence in every run. */
uint64_t random_next(uint64_t *state);

uint64_t now_ns(void);
uint64_t own_cpu_ns(void);

/* CPU used so far by all threads of a process; 0 when there is no such process. */
uint64_t process_cpu_ns(int pid);

/*
 * CPU used by the children of a postmaster. A child that is gone at the second call is not in the
 * sum any more, so measure while the server's connections stay open.
 */
uint64_t children_cpu_ns(int postmaster);

enum {
    TOKEN_ROOM = 512
};

/* An HS256 token of key "bench" for the tenant and user, valid for a day. */
void token_make(const char *secret, const char *tenant, const char *user, char out[TOKEN_ROOM]);

/*
 * Checks signature and expiry; the tenant of a good token goes into `tenant`.
 * `now` is in seconds since 1970.
 */
bool token_check(const char *secret, const char *token, size_t len, long now,
                 char tenant[UUID_ROOM]);

#endif
