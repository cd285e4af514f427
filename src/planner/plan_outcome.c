/*
 * plan_outcome.c - a root field whose function says whether it succeeded: FraiseQL's composites.
 *
 * Thread:   any.
 * Not here: rolling back what failed (plan_guard.c), reading the entity (plan_entity.c).
 *
 * The call's row has whether the result is a success, then what is selected of the
 * objects of both kinds; the settings that the next statements need come last:
 *
 *     select t2.ok, t1."message", set_config('fraiseql.outcome', case when t2.ok then 'true' else
 * $3 end, true), … from "fn_create_task"("input" => $1::jsonb) t1 cross join lateral (select
 * coalesce(lower(…t1."status"…) = any ($2::text[]), false) as ok, …) t2
 *
 * What is a success is decided once, here, for the answer and the guard alike.
 */
#include "planner/plan_outcome.h"

#include "planner/paramtext.h"
#include "planner/plan_call.h"
#include "planner/plan_entity.h"
#include "planner/plan_guard.h"
#include "planner/plan_row.h"
#include "schema/statuses.h"

#define MAX_COLUMNS 1600 /* PostgreSQL: 1664 */

static const struct codec text_codec = {.kind = CODEC_TEXT};
static const struct codec texts_codec = {.kind = CODEC_ARRAY, .element = &text_codec};
static const struct codec integer_codec = {.kind = CODEC_INT4};
static const struct codec json_codec = {.kind = CODEC_JSONB};

/* What each form calls its columns; NULL: it has none such. */
static const struct form {
    struct entity_columns entity;
    const char *cascade;
    const char *metadata; /* its "errors" are those of the answer */
    const char *details;  /* of the one error, if those are none */
} forms[] = {
    [OUTCOME_RESULT] = {{"id", NULL, "object_data"},            NULL,      "extra_metadata", NULL},
    [OUTCOME_RESPONSE] = {{"entity_id", "entity_type", "entity"}, "cascade", "metadata",       NULL},
    [OUTCOME_APP_RESPONSE] = {{"entity_id", "entity_type", "entity"},
                        "cascade",                                         "metadata",
                        "error_detail"                                                           },
};

/* An object of another statement, planned when the call is. */
struct pending {
    const struct selection *selection;
    struct shape_field *field;
};

struct gathering {
    struct compiler *c;
    const struct function_outcome *outcome;
    const struct form *form;
    struct sqlbuf items;
    size_t nitems;
    uint16_t known[OUTCOME_FIELDS]; /* position of an item and one; 0: it is not there */
    bool code;                      /* some item is, or may be, t2.code */
    struct {
        struct pending *items;
        size_t n, cap;
    } pending;
};

/* --- expressions ------------------------------------------------------------------------------ */

static void write_column(const char *name, struct sqlbuf *out)
{
    sqlbuf_text(out, "t1.");
    sqlbuf_identifier(out, str_of(name));
}

static void write_text(struct gathering *g, const char *text, struct sqlbuf *out)
{
    struct plan_param p = {.variable = -1, .constant = arena_dup(g->c->in.arena, str_of(text))};

    sqlbuf_parameter(out, &p, STR("text"), false);
}

/* The words that mean success, as one array. */
static void write_successes(struct gathering *g, struct sqlbuf *out)
{
    struct plan_param p = {.variable = -1, .form = PARAM_ARRAY};
    struct str words[64];
    size_t n = 0;

    for (size_t i = 0; statuses_at(i) != NULL; i++) {
        CHECK(n < COUNT_OF(words));
        if (statuses_at(i)->code == 0)
            words[n++] = str_of(statuses_at(i)->word);
    }
    p.constant = paramtext_array(words, n, g->c->in.arena);
    sqlbuf_text(out, "(");
    sqlbuf_parameter(out, &p, STR("text"), true);
    sqlbuf_text(out, ")");
}

/* case w.word when 'conflict' then 409 … else 500 end as code */
static void write_code(const struct gathering *g, struct sqlbuf *out)
{
    bool app = g->outcome->form == OUTCOME_APP_RESPONSE;
    const struct status *(*at)(size_t i) = app ? error_classes_at : statuses_at;

    if (app)
        sqlbuf_text(out, "coalesce(t1.\"http_status\"::pg_catalog.int4, ");
    sqlbuf_text(out, "case w.word");
    for (size_t i = 0; at(i) != NULL; i++) {
        if (at(i)->code == 0 || at(i)->code == STATUS_UNKNOWN)
            continue;
        sqlbuf_text(out, " when '");
        sqlbuf_raw(out, at(i)->word, strlen(at(i)->word));
        sqlbuf_text(out, "' then ");
        sqlbuf_integer(out, at(i)->code);
    }
    sqlbuf_text(out, " else ");
    sqlbuf_integer(out, STATUS_UNKNOWN);
    sqlbuf_text(out, " end");
    if (app)
        sqlbuf_text(out, ")");
    sqlbuf_text(out, " as code");
}

/* What stands behind the status's colon. */
static void write_identifier(struct gathering *g, struct sqlbuf *out)
{
    if (g->outcome->form == OUTCOME_APP_RESPONSE)
        sqlbuf_text(out, "coalesce(t1.\"status_detail\", t2.word, 'general_error')");
    else
        sqlbuf_text(out, "case when pg_catalog.strpos(t2.status, ':') > 0 then "
                         "pg_catalog.substr(t2.status, pg_catalog.strpos(t2.status, ':') + 1) "
                         "else 'general_error' end");
}

/* (select …) t2: ok, word, status and perhaps code */
static void write_verdict(struct gathering *g, struct sqlbuf *out)
{
    bool app = g->outcome->form == OUTCOME_APP_RESPONSE;

    sqlbuf_text(out, " cross join lateral (select ");
    if (app) {
        sqlbuf_text(out,
                    "coalesce(t1.\"succeeded\", false) as ok, case when t1.\"succeeded\" then "
                    "coalesce(t1.\"status_detail\", 'success') else coalesce(w.word, 'failed') || "
                    "coalesce(':' || t1.\"status_detail\", '') end as status");
    } else {
        sqlbuf_text(out, "coalesce(w.word = any ");
        write_successes(g, out);
        sqlbuf_text(out, ", false) as ok, coalesce(t1.\"status\", 'failed') as status");
    }
    sqlbuf_text(out, ", w.word");
    if (g->code) {
        sqlbuf_text(out, ", ");
        write_code(g, out);
    }
    sqlbuf_text(out, " from (select ");
    if (app)
        sqlbuf_text(out, "t1.\"error_class\"::text");
    else
        sqlbuf_text(out, "pg_catalog.lower(pg_catalog.split_part(t1.\"status\", ':', 1) "
                         "collate pg_catalog.\"C\")");
    sqlbuf_text(out, " as word) w) t2");
}

/* --- items -------------------------------------------------------------------------------------
 */

static bool next_item(struct gathering *g, const struct selection *s, uint16_t *index)
{
    if (g->nitems >= MAX_COLUMNS)
        return plan_too_complex(g->c, s, "an object of the operation has too many fields");
    sqlbuf_text(&g->items, ", ");
    *index = (uint16_t)g->nitems++;
    return true;
}

static const struct codec *write_item(struct gathering *g, enum outcome_field field,
                                      struct sqlbuf *out)
{
    const struct form *f = g->form;

    switch (field) {
    case OUTCOME_STATUS:
        sqlbuf_text(out, "t2.status");
        return &text_codec;
    case OUTCOME_MESSAGE:
        write_column("message", out);
        return &text_codec;
    case OUTCOME_ENTITY:
        write_column(f->entity.document, out);
        return &json_codec;
    case OUTCOME_ENTITY_ID:
        write_column(f->entity.id, out);
        sqlbuf_text(out, "::text");
        return &text_codec;
    case OUTCOME_UPDATED_FIELDS:
        write_column("updated_fields", out);
        return &texts_codec;
    case OUTCOME_CASCADE:
        write_column(f->cascade, out);
        return &json_codec;
    case OUTCOME_CODE:
        sqlbuf_text(out, "t2.code");
        g->code = true;
        return &integer_codec;
    case OUTCOME_NONE:
    case OUTCOME_ERRORS:
    case OUTCOME_ERROR_CODE:
    case OUTCOME_ERROR_IDENTIFIER:
    case OUTCOME_ERROR_MESSAGE:
    case OUTCOME_ERROR_DETAILS:
    case OUTCOME_FIELDS:
        break;
    }
    CHECK(!"an outcome has no such column");
    return NULL;
}

static bool add_value(struct gathering *g, const struct selection *s, struct shape_field *out)
{
    enum outcome_field field = s->field->outcome;
    struct sqlbuf unused;

    out->kind = SHAPE_VALUE;
    if (g->known[field] == 0) {
        if (!next_item(g, s, &out->column))
            return false;
        out->codec = write_item(g, field, &g->items);
        g->known[field] = (uint16_t)(out->column + 1);
        return true;
    }
    sqlbuf_init(&unused, &g->c->params);
    out->codec = write_item(g, field, &unused);
    out->column = (uint16_t)(g->known[field] - 1);
    return true;
}

/* --- errors ------------------------------------------------------------------------------------
 */

/* Of an item e.item, which may be any JSON; else of the outcome. */
static const struct codec *write_error_part(struct gathering *g, enum outcome_field field,
                                            struct sqlbuf *out)
{
    switch (field) {
    case OUTCOME_ERROR_CODE:
        sqlbuf_text(out, "case when e.item ->> 'code' ~ '^[0-9]{1,9}$' then "
                         "(e.item ->> 'code')::pg_catalog.int4 else t2.code end");
        g->code = true;
        return &integer_codec;
    case OUTCOME_ERROR_IDENTIFIER:
        sqlbuf_text(out, "coalesce(e.item ->> 'identifier', ");
        write_identifier(g, out);
        sqlbuf_text(out, ")");
        return &text_codec;
    case OUTCOME_ERROR_MESSAGE:
        sqlbuf_text(out, "coalesce(e.item ->> 'message', case pg_catalog.jsonb_typeof(e.item) when "
                         "'string' then e.item #>> '{}' end, t1.\"message\")");
        return &text_codec;
    case OUTCOME_ERROR_DETAILS:
        sqlbuf_text(out, "nullif(e.item -> 'details', 'null')");
        return &json_codec;
    case OUTCOME_NONE:
    case OUTCOME_STATUS:
    case OUTCOME_MESSAGE:
    case OUTCOME_ENTITY:
    case OUTCOME_ENTITY_ID:
    case OUTCOME_UPDATED_FIELDS:
    case OUTCOME_CASCADE:
    case OUTCOME_CODE:
    case OUTCOME_ERRORS:
    case OUTCOME_FIELDS:
        break;
    }
    CHECK(!"an error has no such part");
    return NULL;
}

/* The list in the metadata, or one error of what else is known. */
static void write_error_list(struct gathering *g, struct sqlbuf *out)
{
    sqlbuf_text(out, "pg_catalog.jsonb_array_elements(case when pg_catalog.jsonb_typeof(");
    write_column(g->form->metadata, out);
    sqlbuf_text(out, " -> 'errors') = 'array' and ");
    write_column(g->form->metadata, out);
    sqlbuf_text(out, " -> 'errors' <> '[]' then ");
    write_column(g->form->metadata, out);
    sqlbuf_text(out, " -> 'errors' else ");
    if (g->form->details != NULL) {
        sqlbuf_text(out, "pg_catalog.jsonb_build_array(pg_catalog.jsonb_build_object('details', ");
        write_column(g->form->details, out);
        sqlbuf_text(out, "))");
    } else {
        sqlbuf_text(out, "'[{}]'");
    }
    sqlbuf_text(out, " end) with ordinality e(item, n) order by e.n");
}

/* array(select row(…) from … ) */
static bool add_errors(struct gathering *g, const struct selection *s, struct shape_field *out)
{
    struct arena *a = g->c->in.arena;
    struct shape *shape = ARENA_NEW(a, struct shape);
    struct shape_field *fields = ARENA_ARRAY(a, s->nchildren, struct shape_field);

    if (!next_item(g, s, &out->column))
        return false;
    out->kind = SHAPE_RECORDS;
    out->object = shape;
    *shape = (struct shape){.fields = fields, .nfields = s->nchildren, .presence = -1};
    sqlbuf_text(&g->items, "array(select row(");
    for (size_t i = 0; i < s->nchildren; i++) {
        const struct selection *child = s->children[i];

        plan_shape_field(g->c, child, &fields[i]);
        if (child->field->resolver == RESOLVE_TYPENAME) {
            fields[i].kind = SHAPE_TYPENAME;
            fields[i].text = child->parent->name;
            continue;
        }
        if (shape->ncolumns >= MAX_COLUMNS)
            return plan_too_complex(g->c, s, "an object of the operation has too many fields");
        if (shape->ncolumns > 0)
            sqlbuf_text(&g->items, ", ");
        fields[i].kind = SHAPE_VALUE;
        fields[i].column = (uint16_t)shape->ncolumns++;
        fields[i].codec = write_error_part(g, child->field->outcome, &g->items);
    }
    sqlbuf_text(&g->items, ") from ");
    write_error_list(g, &g->items);
    sqlbuf_text(&g->items, ")");
    return true;
}

/* --- objects -----------------------------------------------------------------------------------
 */

static bool add_field(struct gathering *g, const struct selection *s, struct shape_field *out)
{
    plan_shape_field(g->c, s, out);
    if (s->field->resolver == RESOLVE_TYPENAME) {
        out->kind = SHAPE_TYPENAME;
        out->text = s->parent->name;
        return true;
    }
    CHECK(s->field->resolver == RESOLVE_OUTCOME);
    if (s->field->outcome == OUTCOME_ERRORS)
        return add_errors(g, s, out);
    if (s->field->outcome != OUTCOME_ENTITY || g->outcome->entity == NULL)
        return add_value(g, s, out);
    VEC_PUSH(g->c->in.scratch, &g->pending, (struct pending){s, out});
    return true;
}

/* What is selected of one of the two; NULL: errors were added. */
static struct shape *add_object(struct gathering *g, const struct selection *of,
                                const struct type *type)
{
    const struct inputs *in = &g->c->in;
    const struct selection *s =
        collect_object(in->op, in->variables, of, type, in->arena, in->errs);
    struct shape *shape = ARENA_NEW(in->arena, struct shape);
    struct shape_field *fields;

    if (s == NULL)
        return NULL;
    fields = ARENA_ARRAY(in->arena, s->nchildren, struct shape_field);
    *shape = (struct shape){.fields = fields, .nfields = s->nchildren, .presence = -1};
    for (size_t i = 0; i < s->nchildren; i++)
        if (!add_field(g, s->children[i], &fields[i]))
            return NULL;
    return shape;
}

/* select t2.ok, …, set_config(…) from the call; the number of columns. */
static bool write_call(struct gathering *g, const struct selection *s, size_t *ncolumns,
                       struct sqlbuf *out)
{
    const struct function *f = s->field->function;

    sqlbuf_text(out, "select t2.ok");
    sqlbuf_append(out, &g->items);
    sqlbuf_text(out,
                ", pg_catalog.set_config('fraiseql.outcome', case when t2.ok then 'true' else ");
    write_text(g,
               arena_printf(g->c->in.scratch, "the error result of %.*s.%.*s is rolled back",
                            STR_ARG(f->schema), STR_ARG(f->name))
                   .data,
               out);
    sqlbuf_text(out, " end, true)");
    *ncolumns = g->nitems + 1;
    if (g->pending.n > 0)
        *ncolumns += plan_entity_keep(g->outcome, &g->form->entity, g->c, out);
    sqlbuf_text(out, " from ");
    if (!plan_call(g->c, s, NULL, out))
        return false;
    sqlbuf_text(out, " t1");
    write_verdict(g, out);
    return true;
}

static bool plan_pending(struct gathering *g, int position)
{
    for (size_t i = 0; i < g->pending.n; i++) {
        const struct pending *p = &g->pending.items[i];
        struct sqlbuf sql;

        sqlbuf_init(&sql, &g->c->params);
        if (!plan_entity(g->c, g->outcome, p->selection, &sql, p->field))
            return false;
        p->field->step = (uint16_t)g->c->steps.n;
        compile_step(g->c, &sql, position, p->field->object->ncolumns, false);
    }
    return true;
}

bool plan_outcome(struct compiler *c, const struct selection *s, int position,
                  struct shape_field *shape)
{
    const struct function_outcome *o = s->field->function->outcome;
    struct gathering g = {.c = c, .outcome = o, .form = &forms[o->form], .nitems = 1};
    struct shape *success, *error;
    struct sqlbuf sql;
    size_t ncolumns;

    plan_guard_open(c, position);
    sqlbuf_init(&g.items, &c->params);
    sqlbuf_init(&sql, &c->params);
    success = add_object(&g, s, o->success);
    error = success != NULL ? add_object(&g, s, o->error) : NULL;
    if (error == NULL || !write_call(&g, s, &ncolumns, &sql))
        return false;
    success->ncolumns = error->ncolumns = ncolumns;
    shape->kind = SHAPE_OUTCOME;
    shape->object = success;
    shape->otherwise = error;
    shape->step = (uint16_t)c->steps.n;
    compile_step(c, &sql, position, ncolumns, true);
    plan_guard_check(c, position);
    if (!plan_pending(&g, position))
        return false;
    plan_guard_close(c, position);
    return true;
}
