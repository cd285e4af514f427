/*
 * pgversion.c - which libpq was compiled against, and which runs.
 *
 * Thread:   any.
 */
#include <libpq-fe.h>
#include <pg_config.h>
#include <stdio.h>
#include <string.h>

#include "pg/pgversion.h"

struct library pgversion_library(void)
{
    struct library l = {.name = "libpq"};
    int v = PQlibVersion();

    /* A distribution's name for it may follow. */
    snprintf(l.compiled, sizeof(l.compiled), "%.*s", (int)strcspn(PG_VERSION, " "), PG_VERSION);
    snprintf(l.running, sizeof(l.running), "%d.%d", v / 10000, v % 10000);
    return l;
}
