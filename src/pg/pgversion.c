/*
 * pgversion.c - which libpq was compiled against, and which runs.
 *
 * Thread:   any.
 */
#include <libpq-fe.h>
#include <pg_config.h>
#include <stdio.h>

#include "pg/pgversion.h"

struct library pgversion_library(void)
{
    struct library l = {.name = "libpq"};
    int v = PQlibVersion();

    snprintf(l.compiled, sizeof(l.compiled), "%s", PG_VERSION);
    snprintf(l.running, sizeof(l.running), "%d.%d", v / 10000, v % 10000);
    return l;
}
