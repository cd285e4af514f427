/*
 * plan_entity.c - the entity of a function's outcome: kept by the call, read by the next statement.
 *
 * Thread:   any.
 *
 * The row with the entity's key as it is now, under the policies; where there is
 * none that may be read, for it was deleted or is hidden, what the function says
 * of it in its document, column by column:
 *
 *     from (with k as materialized (
 *               select t1."id", t1."title" from "v_task" t1
 *                where t1."id" = (current_setting('fraiseql.key1')::uuid[])[1] limit 1)
 *           select * from k
 *           union all
 *           select * from jsonb_to_record(… 'fraiseql.entity' …) t1("id" uuid, "title" text)
 *            where … and not exists (select from k)) t1
 *
 * A function with its owner's rights may have seen what the role must not: what it
 * says in the document is not looked at.
 *
 * Either way it is a row like any other: relations hang on it, and are read
 * under the policies; and a relation that is kept to the tenant by a condition
 * has it here too.
 */
#include "planner/plan_entity.h"

#include "planner/plan_result.h"
#include "planner/plan_row.h"

/* Is the outcome's id the key? One that is a UUID cannot be a number. */
static bool is_id(const struct function_outcome *o)
{
    enum codec_kind kind = o->key->columns[0]->codec->kind;

    return o->key->n == 1 &&
           (o->form == OUTCOME_RESPONSE || kind == CODEC_UUID || kind == CODEC_TEXT);
}

static void write_name(const char *column, struct sqlbuf *out)
{
    sqlbuf_text(out, "t1.");
    sqlbuf_identifier(out, str_of(column));
}

/* coalesce(t1."entity_id"::text, t1."entity" ->> 'id') */
static void write_key_value(const struct function_outcome *o, const struct entity_columns *of,
                            size_t i, struct sqlbuf *out)
{
    const struct column *column = o->key->columns[i];
    struct plan_param member = {.variable = -1, .constant = column->name};
    bool by_id = is_id(o);

    if (by_id) {
        sqlbuf_text(out, "coalesce(");
        write_name(of->id, out);
        sqlbuf_text(out, "::text, ");
    }
    write_name(of->document, out);
    sqlbuf_text(out, " ->> ");
    sqlbuf_parameter(out, &member, STR("text"), false);
    if (by_id)
        sqlbuf_text(out, ")");
}

/* In lower case without underscores, as it is compared. */
static struct str plain_name(struct str name, struct arena *a)
{
    char *plain = arena_alloc(a, name.len + 1);
    size_t n = 0;

    for (size_t i = 0; i < name.len; i++) {
        char c = name.data[i];

        if (c != '_')
            plain[n++] = (char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
    }
    plain[n] = '\0';
    return str_make(plain, n);
}

/* t2.ok, and it is an entity of the type that the schema names. */
static void write_applies(const struct function_outcome *o, const struct entity_columns *of,
                          struct compiler *c, struct sqlbuf *out)
{
    struct plan_param type = {.variable = -1};

    sqlbuf_text(out, "t2.ok");
    if (of->type == NULL)
        return;
    type.constant = plain_name(o->entity->type_name, c->in.arena);
    sqlbuf_text(out, " and coalesce(pg_catalog.lower(pg_catalog.replace(");
    write_name(of->type, out);
    sqlbuf_text(out, ", '_', '') collate pg_catalog.\"C\") = ");
    sqlbuf_parameter(out, &type, STR("text"), false);
    sqlbuf_text(out, ", true)");
}

size_t plan_entity_keep(const struct function_outcome *o, const struct entity_columns *of,
                        struct compiler *c, struct sqlbuf *out)
{
    size_t n = o->key != NULL ? o->key->n : 0;

    for (size_t i = 0; i < n; i++) {
        sqlbuf_text(out, ", pg_catalog.set_config('fraiseql.key");
        sqlbuf_integer(out, (int64_t)i + 1);
        sqlbuf_text(out, "', case when ");
        write_applies(o, of, c, out);
        sqlbuf_text(out, " then array[");
        write_key_value(o, of, i, out);
        sqlbuf_text(out, "]::text else '{}' end, true)");
    }
    if (o->own_rights) {
        sqlbuf_text(out, ", pg_catalog.set_config('fraiseql.entity', '', true)");
        return n + 1;
    }
    sqlbuf_text(out, ", pg_catalog.set_config('fraiseql.entity', case when ");
    write_applies(o, of, c, out);
    sqlbuf_text(out, " and pg_catalog.jsonb_typeof(");
    write_name(of->document, out);
    sqlbuf_text(out, ") = 'object' then ");
    write_name(of->document, out);
    sqlbuf_text(out, "::text else '' end, true)");
    return n + 1;
}

/* "id" uuid, "title" text: what is used of the base, with types. */
static void write_types(const struct source *base, struct sqlbuf *out)
{
    bool any = false;

    for (size_t i = 0; i < base->relation->nall_columns; i++) {
        const struct column *c = &base->relation->columns[i];

        if (!base->used[i])
            continue;
        if (any)
            sqlbuf_text(out, ", ");
        any = true;
        sqlbuf_identifier(out, c->name);
        sqlbuf_text(out, " ");
        sqlbuf_raw(out, c->type_sql.data, c->type_sql.len);
    }
}

static void write_document(struct sqlbuf *out)
{
    sqlbuf_text(out, "nullif(pg_catalog.current_setting('fraiseql.entity'), '')"
                     "::pg_catalog.jsonb) ");
}

/* select * from jsonb_to_record(…) t1("id" uuid, …), or where the row as a whole is used, with all
 * of its columns */
static void write_columns(struct compiler *c, const struct source *base, struct sqlbuf *out)
{
    if (base->whole) {
        sqlbuf_text(out, "select ");
        source_used(c, base, out);
        sqlbuf_text(out, " from pg_catalog.jsonb_populate_record(null::");
        sqlbuf_qualified(out, base->relation->schema, base->relation->name);
        sqlbuf_text(out, ", ");
        write_document(out);
        sqlbuf_alias(out, base->alias);
        return;
    }
    sqlbuf_text(out, "select * from pg_catalog.jsonb_to_record(");
    write_document(out);
    sqlbuf_alias(out, base->alias);
    sqlbuf_text(out, "(");
    write_types(base, out);
    sqlbuf_text(out, ")");
}

/* with k as materialized (select … from "relation" t1 where t1."key" = (keys)[1] limit 1) select *
 * from k union all */
static void write_row(struct compiler *c, const struct source *base, const struct key *k,
                      struct sqlbuf *out)
{
    sqlbuf_text(out, "with k as materialized (select ");
    source_used(c, base, out);
    sqlbuf_text(out, " from ");
    source_name(out, base->relation, base->alias);
    for (size_t i = 0; i < k->n; i++) {
        if (i > 0)
            sqlbuf_text(out, " and ");
        else
            sqlbuf_text(out, " where ");
        plan_result_match(k, i, base->alias, out);
    }
    sqlbuf_text(out, " limit 1) select * from k union all ");
}

bool plan_entity(struct compiler *c, const struct function_outcome *o, const struct selection *s,
                 struct sqlbuf *out, struct shape_field *shape)
{
    struct source *base = source_new(c, o->entity);
    struct row r;

    shape->kind = SHAPE_ROW;
    base->paged = true;
    if (!row_gather(c, base, s, 0, &r, &shape->object))
        return false;
    /* There must be one: why not one that has an index. */
    base->used[o->key != NULL ? o->key->columns[0]->index : 0] = true;
    if (source_guarded(o->entity))
        base->used[o->entity->tenant_column->index] = true;
    row_write(&r, false, out);
    sqlbuf_text(out, "(");
    if (o->key != NULL)
        write_row(c, base, o->key, out);
    write_columns(c, base, out);
    sqlbuf_text(out, " where pg_catalog.current_setting('fraiseql.entity') <> ''");
    if (o->key != NULL)
        sqlbuf_text(out, " and not exists (select from k)");
    if (source_guarded(o->entity)) {
        sqlbuf_text(out, " and ");
        source_guard(out, o->entity, base->alias);
    }
    sqlbuf_text(out, ") ");
    sqlbuf_alias(out, base->alias);
    sqlbuf_append(out, &r.joins);
    return true;
}
