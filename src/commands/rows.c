/*
 * rows.c - what commands that ask the database share.
 *
 * Thread:   main.
 * Memory:   the configuration's arena.
 */
#include <stdlib.h>
#include <sysexits.h>
#include <unistd.h>

#include "commands/rows.h"

#include "base/log.h"
#include "server/options.h"

#define TIMEOUT_MS  60000
#define MAX_COLUMNS 16

int rows_run(struct command_database *d, void (*action)(struct command_database *d))
{
    d->status = command_config_load(&d->cc);
    if (d->status == EX_OK) {
        log_setup(LOG_WARN, d->cc.config->log_format, STDERR_FILENO);
        d->pool = options_pool(d->cc.config, d->cc.arena, &d->cc.errs);
        if (d->pool == NULL)
            d->status = EX_CONFIG;
        else
            action(d);
    }
    if (errors_any(&d->cc.errs))
        command_print_errors(&d->cc.errs);
    if (d->pool != NULL)
        pgpool_free(d->pool);
    return d->status;
}

static int status_of(const struct pgbatch *b)
{
    static const char *const missing[] = {"3F000", "42P01", "42883", "42703"};

    if (b->outcome != PGBATCH_FAILED)
        return EX_UNAVAILABLE;
    for (size_t i = 0; i < COUNT_OF(missing); i++)
        if (strcmp(b->sqlstate, missing[i]) == 0)
            return EX_UNAVAILABLE;
    return EX_SOFTWARE;
}

const struct pgrows *rows_query(struct command_database *d, const char *sql,
                                const char *const *params, size_t nparams)
{
    struct pgsession session = {.role = "", .timeout_ms = TIMEOUT_MS};
    struct pgstatement *statement = ARENA_NEW(d->cc.arena, struct pgstatement);
    struct pgcall *call = ARENA_NEW(d->cc.arena, struct pgcall);
    struct pgbatch batch;
    struct errors errs;

    errors_init(&errs, d->cc.arena);
    pgstatement_init(statement, str_of(sql), nparams);
    *call = (struct pgcall){.statement = statement, .params = params};
    pgbatch_init(&batch, &session, call, 1, d->cc.arena);
    batch.until = deadline_in_ms(TIMEOUT_MS);
    if (pgpool_run(d->pool, &batch, &errs))
        return call->rows;
    d->status = status_of(&batch);
    fprintf(stderr, "fraiseqld: %.*s\n", STR_ARG(batch.message));
    if (d->status == EX_UNAVAILABLE && batch.outcome == PGBATCH_FAILED)
        fputs("fraiseqld: run \"fraiseqld db install\"\n", stderr);
    return NULL;
}

struct str rows_value(const struct pgrows *rows, size_t row, size_t column)
{
    struct pgvalue v[MAX_COLUMNS];

    CHECK(pgrows_columns(rows) <= COUNT_OF(v));
    pgrows_row(rows, row, v);
    return v[column].len < 0 ? STR("") : str_make(v[column].data, (size_t)v[column].len);
}

void rows_print(const struct pgrows *rows, const char *const *titles, const int *widths)
{
    struct pgvalue v[MAX_COLUMNS];
    size_t n = pgrows_columns(rows);

    CHECK(n <= COUNT_OF(v));
    for (size_t c = 0; c < n; c++)
        printf("%*s%s", widths[c], titles[c], c + 1 < n ? "  " : "\n");
    for (size_t r = 0; r < pgrows_count(rows); r++) {
        pgrows_row(rows, r, v);
        for (size_t c = 0; c < n; c++) {
            struct str text = v[c].len < 0 ? STR("-") : str_make(v[c].data, (size_t)v[c].len);
            int room = abs(widths[c]) - (int)text.len;
            int before = widths[c] > 0 && room > 0 ? room : 0;
            int behind = widths[c] < 0 && room > 0 && c + 1 < n ? room : 0;

            printf("%*s%.*s%*s%s", before, "", STR_ARG(text), behind, "", c + 1 < n ? "  " : "\n");
        }
    }
}
