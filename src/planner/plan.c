/*
 * plan.c - the immutable plan: references, and its description as text.
 *
 * Thread:   any.
 */
#include "planner/plan.h"

#include "base/jwriter.h"
#include "language/printer.h"
#include "language/source.h"
#include "planner/collect.h"
#include "schema/authrule.h"

struct plan *plan_new(const struct operation *op)
{
    struct arena *a = arena_new(0);
    struct plan *p = ARENA_NEW(a, struct plan);

    p->arena = a;
    p->operation = operation_ref(op);
    p->references = ARENA_NEW(a, uint32_t);
    *p->references = 1;
    p->note = ARENA_NEW(a, struct plan_note *);
    return p;
}

const struct plan *plan_ref(const struct plan *p)
{
    /* Relaxed: whoever copies a reference holds one already. */
    __atomic_fetch_add(p->references, 1, __ATOMIC_RELAXED);
    return p;
}

void plan_unref(const struct plan *p)
{
    const struct operation *op;

    /* Acquire and release: the last one sees what the others did with it. */
    if (p == NULL || __atomic_sub_fetch(p->references, 1, __ATOMIC_ACQ_REL) > 0)
        return;
    op = p->operation;
    if (*p->note != NULL)
        (*p->note)->free(*p->note);
    arena_free(p->arena);
    operation_unref(op);
}

struct plan_note *plan_keep_note(const struct plan *p, struct plan_note *n)
{
    struct plan_note *there = NULL;

    if (__atomic_compare_exchange_n(p->note, &there, n, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
        return n;
    n->free(n);
    return there;
}

struct location plan_location(const struct plan *p, uint32_t offset)
{
    return source_location(p->operation->document->source, offset);
}

/* --- description -------------------------------------------------------------------- */

static const char *const shape_names[] = {
    [SHAPE_VALUE] = "value",        [SHAPE_OBJECT] = "object",
    [SHAPE_RECORD] = "record",      [SHAPE_RECORDS] = "records",
    [SHAPE_ROWS] = "rows",          [SHAPE_ROW] = "row",
    [SHAPE_RESULT] = "result",      [SHAPE_OUTCOME] = "outcome",
    [SHAPE_TYPENAME] = "typename",  [SHAPE_INTROSPECTION] = "introspection",
    [SHAPE_OPAQUE] = "opaque",      [SHAPE_PAGE] = "page",
    [SHAPE_PAGE_CURSOR] = "cursor", [SHAPE_PAGE_MORE] = "more",
    [SHAPE_DOCUMENT] = "document",  [SHAPE_KEY] = "key",
    [SHAPE_NULL] = "null",
};

static const char *const form_names[] = {
    [PARAM_TEXT] = "text",         [PARAM_ARRAY] = "array",   [PARAM_CONTAINS] = "contains",
    [PARAM_STARTS] = "startswith", [PARAM_ENDS] = "endswith", [PARAM_LIMIT] = "limit",
    [PARAM_OFFSET] = "offset",     [PARAM_COLUMN] = "column", [PARAM_OPAQUE] = "opaque",
    [PARAM_DOCUMENT] = "document",
};

static const char *const codec_names[] = {
    [CODEC_BOOL] = "bool",
    [CODEC_INT2] = "int2",
    [CODEC_INT4] = "int4",
    [CODEC_INT8_STRING] = "int8 as string",
    [CODEC_INT8_NUMBER] = "int8",
    [CODEC_FLOAT4] = "float4",
    [CODEC_FLOAT8] = "float8",
    [CODEC_TEXT] = "text",
    [CODEC_TEXT_NUMBER] = "number in text",
    [CODEC_ID_INT2] = "id int2",
    [CODEC_ID_INT4] = "id int4",
    [CODEC_ID_INT8] = "id int8",
    [CODEC_UUID] = "uuid",
    [CODEC_DATE] = "date",
    [CODEC_TIME] = "time",
    [CODEC_TIMETZ] = "timetz",
    [CODEC_TIMESTAMP] = "timestamp",
    [CODEC_TIMESTAMPTZ] = "timestamptz",
    [CODEC_INTERVAL] = "interval",
    [CODEC_JSON] = "json",
    [CODEC_JSONB] = "jsonb",
    [CODEC_BYTEA] = "bytea",
    [CODEC_ENUM] = "enum",
    [CODEC_ARRAY] = "array",
};

static void indent(struct buf *out, unsigned depth)
{
    for (unsigned i = 0; i < depth; i++)
        buf_append_lit(out, "  ");
}

/* Does a clause that reads better on its own line begin here? */
static bool begins_clause(struct str rest)
{
    static const struct str clauses[] = {
        STR_INIT(" from "),   STR_INIT(" left join "), STR_INIT(" where "), STR_INIT(" group by "),
        STR_INIT(" having "), STR_INIT(" order by "),  STR_INIT(" limit "),
    };

    if (str_starts(rest, STR(" from null "))) /* is distinct … */
        return false;
    for (size_t i = 0; i < COUNT_OF(clauses); i++)
        if (str_starts(rest, clauses[i]))
            return true;
    return false;
}

void plan_describe_sql(struct str sql, struct buf *out)
{
    unsigned depth = 1;
    bool quoted = false;

    indent(out, depth);
    for (size_t i = 0; i < sql.len; i++) {
        char c = sql.data[i];

        if (c == '"')
            quoted = !quoted;
        if (!quoted && begins_clause(str_sub(sql, i, sql.len))) {
            buf_append_char(out, '\n');
            indent(out, depth);
            continue;
        }
        if (!quoted && c == '(')
            depth++;
        if (!quoted && c == ')')
            depth--;
        buf_append_char(out, c);
    }
    buf_append_char(out, '\n');
}

static void describe_variable(const struct plan *p, const struct plan_param *param, struct buf *out)
{
    buf_append_char(out, '$');
    buf_append_str(out, p->operation->variables[param->variable].name);
    for (size_t j = 0; j < param->nsteps; j++)
        buf_printf(out, "/%u", param->steps[j]);
}

static void describe_param(const struct plan *p, const struct plan_step *step, size_t i,
                           struct buf *out)
{
    const struct plan_param *param = &p->params[step->first_param + i];

    buf_printf(out, "  $%zu %s ", i + 1, form_names[param->form]);
    if (param->form == PARAM_OPAQUE)
        buf_printf(out, "%u of ", param->item);
    if (param->variable >= 0) {
        describe_variable(p, param, out);
        buf_append_lit(out, ": ");
        type_ref_print(param->type, out);
    } else if (param->literal != NULL) {
        printer_value(param->literal, out);
    } else if (param->constant.data == NULL) {
        buf_append_lit(out, "null");
    } else {
        jwriter_string(out, param->constant);
    }
    buf_append_char(out, '\n');
}

static void describe_codec(const struct codec *c, struct buf *out)
{
    for (; c->kind == CODEC_ARRAY; c = c->element)
        buf_append_lit(out, " array of");
    buf_printf(out, " %s", codec_names[c->kind]);
}

static void describe_shape(const struct plan *p, const struct shape *s, unsigned depth,
                           struct buf *out);

static void describe_opaque(const struct shape_opaque *o, struct buf *out)
{
    for (size_t i = 0; i < o->form.n; i++) {
        buf_printf(out, " %u", o->columns[i]);
        describe_codec(o->form.codecs[i], out);
    }
}

static void describe_page(const struct plan *p, const struct shape_field *f, struct buf *out)
{
    const struct shape_page *page = f->page;

    if (f->kind == SHAPE_PAGE_CURSOR) {
        buf_printf(out, " of the %s:", f->end ? "last" : "first");
        describe_opaque(&page->cursor, out);
        return;
    }
    if (f->kind == SHAPE_PAGE_MORE)
        buf_printf(out, " %s", f->end ? "behind" : "before");
    buf_printf(out, " of %u, %s", page->column, page->backward ? "last" : "first");
    buf_append_char(out, ' ');
    if (page->param < 0)
        buf_append_i64(out, page->limit);
    else
        describe_variable(p, &p->params[page->param], out);
    if (f->kind == SHAPE_PAGE_MORE && (f->end ? page->behind : page->before) >= 0)
        buf_printf(out, ", or %d", f->end ? page->behind : page->before);
}

static bool has_step(const struct shape_field *f)
{
    return f->kind == SHAPE_ROW || f->kind == SHAPE_ROWS || f->kind == SHAPE_RESULT ||
           f->kind == SHAPE_OUTCOME;
}

static const char *const form_of_json[] = {
    [JSON_ANY] = "any",
    [JSON_TEXT] = "text",
    [JSON_ID] = "id",
    [JSON_BOOLEAN] = "boolean",
    [JSON_INT] = "int",
    [JSON_BIGINT] = "bigint",
    [JSON_BIGINT_NUMBER] = "bigint as number",
    [JSON_FLOAT] = "float",
    [JSON_DECIMAL] = "decimal",
    [JSON_DECIMAL_NUMBER] = "decimal as number",
    [JSON_ENUM] = "enum",
    [JSON_BYTES] = "bytes",
    [JSON_UUID] = "uuid",
    [JSON_DATE] = "date",
    [JSON_TIME] = "time",
    [JSON_DATETIME] = "datetime",
    [JSON_LOCAL_DATETIME] = "local datetime",
    [JSON_INTERVAL] = "interval",
    [JSON_ADDRESS] = "address",
    [JSON_NETWORK] = "network",
    [JSON_MAC] = "mac",
};

static bool in_document(const struct shape_field *f)
{
    return f->kind == SHAPE_DOCUMENT || f->kind == SHAPE_KEY;
}

static void describe_field(const struct plan *p, const struct shape *s, const struct shape_field *f,
                           unsigned depth, struct buf *out)
{
    indent(out, depth);
    buf_append_str(out, f->key);
    buf_printf(out, ": %s", shape_names[f->kind]);
    if (f->kind == SHAPE_VALUE || f->kind == SHAPE_RECORD || f->kind == SHAPE_RECORDS)
        buf_printf(out, " %u", f->column);
    if (has_step(f) && f->step > 0)
        buf_printf(out, " of step %u", f->step + 1u);
    if (f->kind == SHAPE_DOCUMENT)
        buf_printf(out, " %u", f->column);
    if (f->kind == SHAPE_KEY)
        buf_printf(out, " %.*s of %d", STR_ARG(s->keys[f->column]), s->document);
    if (f->codec != NULL && in_document(f))
        buf_printf(out, " %s", form_of_json[f->codec->json]);
    else if (f->codec != NULL)
        describe_codec(f->codec, out);
    if (f->kind == SHAPE_TYPENAME)
        buf_printf(out, " %.*s", STR_ARG(f->text));
    if (f->kind == SHAPE_OBJECT)
        buf_printf(out, " if %d", f->object->presence);
    if (f->kind == SHAPE_OPAQUE)
        describe_opaque(f->opaque, out);
    if (f->kind == SHAPE_PAGE || f->kind == SHAPE_PAGE_CURSOR || f->kind == SHAPE_PAGE_MORE)
        describe_page(p, f, out);
    if (f->items_non_null)
        buf_append_lit(out, ", items non-null");
    if (f->non_null)
        buf_append_lit(out, ", non-null");
    buf_append_char(out, '\n');
    if (f->object != NULL)
        describe_shape(p, f->object, depth + 1, out);
    if (f->kind == SHAPE_OUTCOME) {
        indent(out, depth);
        buf_append_lit(out, "otherwise\n");
        describe_shape(p, f->otherwise, depth + 1, out);
    }
}

static void describe_shape(const struct plan *p, const struct shape *s, unsigned depth,
                           struct buf *out)
{
    for (size_t i = 0; i < s->nfields; i++)
        describe_field(p, s, &s->fields[i], depth, out);
}

static void describe_step(const struct plan *p, const struct plan_step *step, struct buf *out)
{
    buf_append_str(out, step->is_guard ? STR("guard\n") : STR("sql\n"));
    plan_describe_sql(step->statement.sql, out);
    if (step->refusal != NULL)
        buf_printf(out, "refuses: %s\n", step->refusal);
    if (step->statement.nparams > 0)
        buf_append_lit(out, "parameters\n");
    for (size_t i = 0; i < step->statement.nparams; i++)
        describe_param(p, step, i, out);
    if (step->sync)
        buf_append_lit(out, "sync\n");
}

static void describe_demands(const struct plan *p, struct buf *out)
{
    if (p->ndemands > 0)
        buf_append_lit(out, "needs\n");
    for (size_t i = 0; i < p->ndemands; i++) {
        buf_printf(out, "  %.*s", STR_ARG(p->demands[i].what));
        authrule_print(p->demands[i].rule, out);
        buf_append_char(out, '\n');
    }
}

void plan_describe(const struct plan *p, struct buf *out)
{
    describe_demands(p, out);
    for (size_t i = 0; i < p->nsteps; i++)
        describe_step(p, &p->steps[i], out);
    buf_append_lit(out, "shape\n");
    describe_shape(p, p->root, 1, out);
}
