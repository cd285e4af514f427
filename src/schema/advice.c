/*
 * advice.c - what in tables and policies makes requests slow, or fail without need.
 *
 * Thread:   one at a time.
 * Memory:   in the search's.
 * Not here: isolation of tenants (audit.c).
 *
 * One finding for a relation and kind, so that what matters is not lost among what does not.
 */
#include "schema/audit_search.h"

#include "schema/tenancy.h"

static bool has_number(const int32_t *numbers, size_t n, int32_t num)
{
    for (size_t i = 0; i < n; i++)
        if (numbers[i] == num)
            return true;
    return false;
}

/* Does an index begin with the column, or have it behind one that row security compares? */
static bool is_indexed(const struct doc_relation *r, const struct doc_column *c)
{
    return has_number(r->leading, r->nleading, c->num) || has_number(r->second, r->nsecond, c->num);
}

static void append_index(const struct doc_relation *r, const int32_t *columns, size_t n,
                         struct buf *out)
{
    buf_printf(out, "create index on %.*s (", STR_ARG(r->sql));
    for (size_t i = 0; i < n; i++) {
        const struct doc_column *c = catalogdoc_column(r, columns[i]);

        buf_append_str(out, i > 0 ? STR(", ") : STR(""));
        search_append_quoted(out, c ? c->name : STR(""), '"');
    }
    buf_append_lit(out, ");\n");
}

/* A list of what refers to a row reads the whole table without an index. */
static void look_at_foreign_keys(struct search *s, const struct doc_relation *r)
{
    for (size_t i = 0; i < r->foreign_keys.n; i++) {
        const struct doc_foreign_key *f = &r->foreign_keys.items[i];
        struct buf fix = {0};

        if (f->indexed || catalogdoc_relation(s->doc, f->to) == NULL)
            continue;
        append_index(r, f->columns, f->n, &fix);
        search_add(s, FINDING_NO_INDEX,
                   arena_printf(s->b->scratch, "foreign key \"%.*s\" of table \"%.*s.%.*s\"",
                                STR_ARG(f->name), STR_ARG(r->schema), STR_ARG(r->name)),
                   "no index finds the rows that refer to one", &fix);
    }
}

/* Every request reads the rows of its tenant, whatever else it asks for. */
static void look_at_tenant(struct search *s, const struct doc_relation *r)
{
    const struct doc_column *c = tenancy_column(s->b, r);
    struct buf fix = {0};

    if (c == NULL || !r->large || has_number(r->leading, r->nleading, c->num))
        return;
    append_index(r, &c->num, 1, &fix);
    search_add(s, FINDING_NO_INDEX, search_describe(s, r),
               "no index begins with the tenant's column, so requests read the rows of all tenants",
               &fix);
}

/* Of the columns that a test picks: "a", "b". */
static size_t append_names(struct search *s, const struct doc_relation *r,
                           bool pick(const struct search *s, const struct doc_relation *r,
                                     const struct doc_column *c),
                           struct buf *out)
{
    size_t n = 0;

    for (size_t i = 0; i < r->ncolumns; i++) {
        if (!pick(s, r, &r->columns[i]))
            continue;
        buf_append_str(out, n++ > 0 ? STR(", ") : STR(""));
        search_append_quoted(out, r->columns[i].name, '"');
    }
    buf_append_char(out, '\n');
    return n;
}

/* A condition on it might tell what row security hides, if it were evaluated first. */
static bool is_kept_from_index(const struct search *s, const struct doc_relation *r,
                               const struct doc_column *c)
{
    const struct doc_type *t = values_base_type(s->b, c->type);

    return t != NULL && t->comparable && !t->leakproof && is_indexed(r, c);
}

static bool is_without_index(const struct search *s, const struct doc_relation *r,
                             const struct doc_column *c)
{
    const struct doc_type *t = values_base_type(s->b, c->type);

    return t != NULL && t->comparable && !is_indexed(r, c);
}

static void look_at_columns(struct search *s, const struct doc_relation *r)
{
    struct buf fix = {0};

    buf_append_lit(&fix,
                   "-- Under row security an index serves conditions on types with a leakproof =, "
                   "such as text, integer, uuid,\n-- boolean, date and timestamptz. Instead of an "
                   "enum take text with a check constraint. Of others are: ");
    if (append_names(s, r, is_kept_from_index, &fix) > 0)
        search_add(s, FINDING_NOT_LEAKPROOF, search_describe(s, r),
                   "row security keeps conditions on some columns from their indexes", &fix);
    fix.len = 0;
    buf_append_lit(&fix, "-- Without an index are: ");
    if (r->large && append_names(s, r, is_without_index, &fix) > 0)
        search_add(s, FINDING_NO_INDEX,
                   arena_printf(s->b->scratch, "filters of %.*s", STR_ARG(search_describe(s, r))),
                   "the table is large, and conditions on some columns have no index", &fix);
    buf_fini(&fix);
}

/* A setting that was set in an earlier transaction reads as '', which is no uuid. */
static void look_at_policies(struct search *s, const struct doc_relation *r)
{
    for (size_t i = 0; i < r->nbrittle; i++) {
        struct buf fix = {0};

        buf_printf(&fix, "%.*s;\n", STR_ARG(r->brittle[i].fix));
        search_add(s, FINDING_FAILS_UNSET,
                   arena_printf(s->b->scratch, "policy \"%.*s\" of %.*s",
                                STR_ARG(r->brittle[i].name), STR_ARG(search_describe(s, r))),
                   "fails for requests without the setting, instead of showing no rows", &fix);
    }
}

void advice_find(struct search *s)
{
    for (size_t i = 0; i < s->doc->nrelations; i++) {
        const struct doc_relation *r = &s->doc->relations[i];

        if (memchr("rp", r->kind, 2) == NULL)
            continue;
        look_at_foreign_keys(s, r);
        if (!r->rls)
            continue;
        look_at_tenant(s, r);
        look_at_columns(s, r);
        look_at_policies(s, r);
    }
}
