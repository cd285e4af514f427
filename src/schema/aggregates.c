/*
 * aggregates.c - the table of aggregates, and the types of what they return.
 *
 * Thread:   one at a time.
 * Memory:   what is made is in the schema's arena.
 * Not here: GraphQL types with them (aggregate_types.c), calls (planner/plan_aggregate.c).
 */
#include "schema/aggregates.h"

static const struct str names[NAGGREGATES] = {
    [AGGREGATE_COUNT] = STR_INIT("count"),   [AGGREGATE_COUNT_DISTINCT] = STR_INIT("countDistinct"),
    [AGGREGATE_SUM] = STR_INIT("sum"),       [AGGREGATE_AVG] = STR_INIT("avg"),
    [AGGREGATE_MIN] = STR_INIT("min"),       [AGGREGATE_MAX] = STR_INIT("max"),
    [AGGREGATE_STDDEV] = STR_INIT("stddev"),
};

/*
 * Type, results of sum and avg, has it stddev, which returns the same as avg; is it of an
 * extension. All of them have min and max, which return the same type (or one it is stored like:
 * text for varchar, inet for cidr); so have arrays and enums. What all versions from 13 on have.
 * Sorted by type.
 */
static const struct aggregate_row {
    const char *pg_type;
    const char *sum;
    const char *avg;
    bool stddev;
    bool extension;
} rows[] = {
  /* clang-format off */
    { "bpchar",      NULL,       NULL,       false, false },
    { "char",        NULL,       NULL,       false, false },
    { "cidr",        NULL,       NULL,       false, false },
    { "citext",      NULL,       NULL,       false, true },
    { "date",        NULL,       NULL,       false, false },
    { "float4",      "float4",   "float8",   true,  false },
    { "float8",      "float8",   "float8",   true,  false },
    { "inet",        NULL,       NULL,       false, false },
    { "int2",        "int8",     "numeric",  true,  false },
    { "int4",        "int8",     "numeric",  true,  false },
    { "int8",        "numeric",  "numeric",  true,  false },
    { "interval",    "interval", "interval", false, false },
    { "money",       "money",    NULL,       false, false },
    { "name",        NULL,       NULL,       false, false },
    { "numeric",     "numeric",  "numeric",  true,  false },
    { "oid",         NULL,       NULL,       false, false },
    { "pg_lsn",      NULL,       NULL,       false, false },
    { "text",        NULL,       NULL,       false, false },
    { "tid",         NULL,       NULL,       false, false },
    { "time",        NULL,       NULL,       false, false },
    { "timestamp",   NULL,       NULL,       false, false },
    { "timestamptz", NULL,       NULL,       false, false },
    { "timetz",      NULL,       NULL,       false, false },
    { "varchar",     NULL,       NULL,       false, false },
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

/* How a result is read. t: the type of what is aggregated; NULL: not in the document. */
static const struct column *result(struct builder *b, const struct doc_type *t, const char *pg_type)
{
    struct column *c;

    if (pg_type == NULL)
        return NULL;
    c = ARENA_NEW(b->arena, struct column);
    if (t != NULL && str_is(t->name, pg_type))
        CHECK(values_describe(b, t->oid, false, c));
    else
        values_describe_scalar(b, pg_type, c);
    return c;
}

static struct aggregates *make_aggregates(struct builder *b, const struct aggregate_row *row,
                                          const struct doc_type *t, struct str schema)
{
    struct aggregates *made = ARENA_NEW(b->arena, struct aggregates);

    made->schema = arena_dup(b->arena, schema);
    made->cast = row->extension;
    made->results[AGGREGATE_SUM] = result(b, t, row->sum);
    made->results[AGGREGATE_AVG] = result(b, t, row->avg);
    /* One for both where they are of one type: their fields can be shared. */
    if (row->stddev)
        made->results[AGGREGATE_STDDEV] = made->results[AGGREGATE_AVG];
    return made;
}

const struct aggregates *aggregates_of_key(struct builder *b, const struct column *c)
{
    const struct aggregate_row *row;

    if (!c->comparable || c->composite != NULL)
        return NULL;
    if (c->is_array || c->type->kind == TYPE_ENUM)
        return &polymorphic_extremes;
    row = bsearch(&c->type_sql, rows, COUNT_OF(rows), sizeof(rows[0]), compare_row);
    if (row == NULL)
        return NULL;
    return row->sum == NULL ? &extremes : make_aggregates(b, row, NULL, STR("pg_catalog"));
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
    made = make_aggregates(b, row, t, t->schema);
    t->aggregates = made;
    return made;
}
