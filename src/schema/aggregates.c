/*
 * aggregates.c - the table of aggregates, and the types of what they return.
 *
 * Thread:   one at a time.
 * Memory:   what is made is in the schema's arena.
 * Not here: GraphQL types with them (aggregate_types.c), calls (planner/plan_aggregate.c).
 */
#include "schema/aggregates.h"

static const struct str names[NAGGREGATES] = {
    [AGGREGATE_SUM] = STR_INIT("sum"),       [AGGREGATE_AVG] = STR_INIT("avg"),
    [AGGREGATE_MIN] = STR_INIT("min"),       [AGGREGATE_MAX] = STR_INIT("max"),
    [AGGREGATE_STDDEV] = STR_INIT("stddev"),
};

/*
 * Type, results of sum, avg and stddev, is the type of an extension. All of them have min and max,
 * which return the same type (or one it is stored like: text for varchar, inet for cidr); so have
 * arrays and enums. What all versions from 13 on have. Sorted by type.
 */
static const struct aggregate_row {
    const char *pg_type;
    const char *sum;
    const char *avg;
    const char *stddev;
    bool extension;
} rows[] = {
  /* clang-format off */
    { "bpchar",      NULL,       NULL,       NULL,      false },
    { "char",        NULL,       NULL,       NULL,      false },
    { "cidr",        NULL,       NULL,       NULL,      false },
    { "citext",      NULL,       NULL,       NULL,      true },
    { "date",        NULL,       NULL,       NULL,      false },
    { "float4",      "float4",   "float8",   "float8",  false },
    { "float8",      "float8",   "float8",   "float8",  false },
    { "inet",        NULL,       NULL,       NULL,      false },
    { "int2",        "int8",     "numeric",  "numeric", false },
    { "int4",        "int8",     "numeric",  "numeric", false },
    { "int8",        "numeric",  "numeric",  "numeric", false },
    { "interval",    "interval", "interval", NULL,      false },
    { "money",       "money",    NULL,       NULL,      false },
    { "name",        NULL,       NULL,       NULL,      false },
    { "numeric",     "numeric",  "numeric",  "numeric", false },
    { "oid",         NULL,       NULL,       NULL,      false },
    { "pg_lsn",      NULL,       NULL,       NULL,      false },
    { "text",        NULL,       NULL,       NULL,      false },
    { "tid",         NULL,       NULL,       NULL,      false },
    { "time",        NULL,       NULL,       NULL,      false },
    { "timestamp",   NULL,       NULL,       NULL,      false },
    { "timestamptz", NULL,       NULL,       NULL,      false },
    { "timetz",      NULL,       NULL,       NULL,      false },
    { "varchar",     NULL,       NULL,       NULL,      false },
  /* clang-format on */
};

static const struct aggregates extremes = {.schema = STR_INIT("pg_catalog")};
/* A domain over an enum or an array is neither to a polymorphic function. */
static const struct aggregates polymorphic_extremes = {.schema = STR_INIT("pg_catalog"),
                                                       .cast = true};

struct str aggregate_name(enum aggregate f)
{
    return names[f];
}

static int compare_row(const void *key, const void *row)
{
    const struct str *name = key;
    const struct aggregate_row *r = row;

    return str_cmp(*name, str_of(r->pg_type));
}

/* How a result is read. */
static const struct column *result(struct builder *b, const struct doc_type *t, const char *pg_type)
{
    struct column *c;

    if (pg_type == NULL)
        return NULL;
    c = ARENA_NEW(b->arena, struct column);
    if (str_is(t->name, pg_type))
        CHECK(values_describe(b, t->oid, false, c));
    else
        values_describe_scalar(b, pg_type, c);
    return c;
}

const struct aggregates *aggregates_of(struct builder *b, const struct column *c)
{
    struct doc_type *t = values_base_type(b, c->type_oid);
    const struct aggregate_row *row;
    struct aggregates *made;

    if (!c->comparable || c->composite != NULL)
        return NULL;
    if (c->is_array || t->kind == 'e')
        return &polymorphic_extremes;
    row = bsearch(&t->name, rows, COUNT_OF(rows), sizeof(rows[0]), compare_row);
    if (row == NULL || (!row->extension && !str_is(t->schema, "pg_catalog")))
        return NULL;
    /* Identifiers may be numbers, but are not for reckoning. */
    if (!row->extension && (row->sum == NULL || c->is_id))
        return &extremes;
    if (t->aggregates != NULL)
        return t->aggregates;
    made = ARENA_NEW(b->arena, struct aggregates);
    made->schema = arena_dup(b->arena, t->schema);
    made->cast = row->extension;
    made->results[AGGREGATE_SUM] = result(b, t, row->sum);
    made->results[AGGREGATE_AVG] = result(b, t, row->avg);
    made->results[AGGREGATE_STDDEV] = result(b, t, row->stddev);
    t->aggregates = made;
    return made;
}
