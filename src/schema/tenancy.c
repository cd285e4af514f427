/*
 * tenancy.c - relations whose rows the daemon itself keeps to the request's tenant.
 *
 * Thread:   one at a time.
 * Memory:   in the schema's arena.
 */
#include "schema/tenancy.h"

bool tenancy_declared(const struct doc_relation *r)
{
    return r->annotation != NULL && is_said(r->annotation->tenant_column);
}

const struct doc_column *tenancy_column(const struct builder *b, const struct doc_relation *r)
{
    for (size_t i = 0; i < r->ncolumns; i++)
        if (exposure_is_tenant(b, r, r->columns[i].name))
            return &r->columns[i];
    return NULL;
}

bool tenancy_guards(const struct builder *b, const struct doc_relation *r)
{
    const struct doc_column *c = tenancy_column(b, r);

    return b->opt->tenancy && b->opt->tenant_setting.len > 0 && c != NULL && c->select &&
           (tenancy_declared(r) || r->kind == 'm' || r->kind == 'f');
}

/* Whatever standard_conforming_strings says. */
static void append_literal(struct buf *out, struct str text)
{
    if (str_find(text, '\\') < text.len)
        buf_append_char(out, 'E');
    buf_append_char(out, '\'');
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] == '\'' || text.data[i] == '\\')
            buf_append_char(out, text.data[i]);
        buf_append_char(out, text.data[i]);
    }
    buf_append_char(out, '\'');
}

/*
 * With nullif, since a setting of an earlier transaction reads as ''; then nothing is equal to it.
 * With a subselect, to be read once in a statement and not for each row.
 */
static struct str tenant_value(const struct builder *b, const struct column *c)
{
    struct buf sql = {0};
    struct str s;

    buf_append_lit(&sql, "(select nullif(pg_catalog.current_setting(");
    append_literal(&sql, b->opt->tenant_setting);
    buf_printf(&sql, ", true), '')::%.*s)", STR_ARG(c->type_sql));
    s = arena_dup(b->arena, buf_str(&sql));
    buf_fini(&sql);
    return s;
}

void tenancy_set(struct builder *b, const struct doc_relation *d, struct relation *r)
{
    const struct doc_column *c = tenancy_column(b, d);

    if (c == NULL)
        return; /* That a declared one is not there was said. */
    r->tenant_column = d->made_columns[c - d->columns];
    if (tenancy_guards(b, d)) {
        r->tenant_value = tenant_value(b, r->tenant_column);
        r->rls = true;
    } else if (tenancy_declared(d) && !c->select) {
        place_error(d->annotation->tenant_column.at, b->errs,
                    "the role may not read the tenant's column \"%.*s\" of %s \"%.*s.%.*s\"",
                    STR_ARG(c->name), catalogdoc_kind(d), STR_ARG(d->schema), STR_ARG(d->name))
            ->hint = STR("grant select on the column to the role");
    }
}
