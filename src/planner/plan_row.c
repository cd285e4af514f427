/*
 * plan_row.c - a selection tree to the columns of a row and their shape.
 *
 * Thread:   any.
 */
#include "planner/plan_row.h"

#include "language/source.h"
#include "planner/plan_aggregate.h"
#include "planner/plan_call.h"
#include "planner/plan_composite.h"
#include "planner/plan_connection.h"
#include "planner/plan_document.h"
#include "planner/plan_node.h"

static struct str key_json(struct str key, struct arena *a)
{
    char *text = arena_alloc(a, key.len + sizeof(",\"\":") + SHAPE_KEY_CHUNK);
    int n = snprintf(text, key.len + sizeof(",\"\":"), ",\"%.*s\":", STR_ARG(key));

    return str_make(text, (size_t)n);
}

void plan_shape_field(struct compiler *c, const struct selection *s, struct shape_field *out)
{
    const struct type_ref type = s->field->type;

    out->key_json = key_json(s->key, c->in.arena);
    out->key = s->key;
    out->selection = s;
    out->offset = s->ast->offset;
    out->non_null = type_ref_non_null(type);
    out->items_non_null = type_ref_is_list(type) && type_ref_non_null(type_ref_item(type));
    if (s->field->cache.said && s->field->cache.seconds < c->mentions.ttl_s)
        c->mentions.ttl_s = s->field->cache.seconds;
}

bool plan_too_complex(struct compiler *c, const struct selection *s, const char *message)
{
    error_at(errors_add(c->in.errs, QUERY_TOO_COMPLEX, "%s", message), c->in.errs,
             source_location(c->in.op->document->source, s->ast->offset));
    return false;
}

void row_use(struct row *r, struct source *s, const struct column *column)
{
    if (s == r->base)
        s->used[column_root(column)->index] = true;
}

uint16_t row_item(struct row *r)
{
    if (r->nitems > 0)
        sqlbuf_text(&r->items, ", ");
    return (uint16_t)r->nitems++;
}

/* Aggregates are made wherever they are asked for. */
static bool is_same(const struct column *a, const struct column *b)
{
    return a == b ||
           (a->aggregate != AGGREGATE_NONE && a->aggregate == b->aggregate && a->of == b->of);
}

uint16_t row_column(struct row *r, struct source *s, const struct column *column)
{
    uint16_t index;

    for (size_t i = 0; i < r->columns.n; i++)
        if (r->columns.items[i].alias == s->alias && is_same(r->columns.items[i].column, column))
            return r->columns.items[i].index;
    row_use(r, s, column);
    index = row_item(r);
    sqlbuf_value(&r->items, s->alias, column);
    VEC_PUSH(r->c->in.scratch, &r->columns, (struct selected){s->alias, column, index});
    return index;
}

static struct source *row_join(struct row *r, struct source *from, const struct relationship *to)
{
    struct to_one t = {.from = from->alias, .relationship = to};

    for (size_t i = 0; i < r->to_ones.n; i++)
        if (r->to_ones.items[i].from == from->alias && r->to_ones.items[i].relationship == to)
            return r->to_ones.items[i].source;
    t.source = source_new(r->c, to->to);
    /* It is compared with =, so it is not null where there is a row. */
    t.source->present = to->to_columns[0];
    for (size_t i = 0; i < to->n; i++)
        row_use(r, from, to->from_columns[i]);
    source_join(&r->joins, to, from->alias, t.source->alias);
    r->nested = true;
    VEC_PUSH(r->c->in.scratch, &r->to_ones, t);
    return t.source;
}

/* An object while its fields are gathered. */
struct object {
    struct keys keys; /* of its document */
    int document;     /* the column with it; -1: none is selected */
};

static bool select_object(struct row *r, struct source *source, const struct selection *s,
                          int presence, unsigned depth, const struct shape **out);

static bool select_to_one(struct row *r, struct source *source, const struct selection *s,
                          unsigned depth, struct shape_field *out)
{
    const struct relationship *to = s->field->relationship;
    struct source *joined = row_join(r, source, to);

    out->kind = SHAPE_OBJECT;
    return select_object(r, joined, s, row_column(r, joined, joined->present), depth + 1,
                         &out->object);
}

static bool select_to_many(struct row *r, struct source *source, const struct selection *s,
                           unsigned depth, struct shape_field *out)
{
    const struct parent parent = {r, source};
    struct sqlbuf list;

    sqlbuf_init(&list, &r->c->params);
    out->kind = SHAPE_RECORDS;
    r->nested = true;
    if (!plan_select_related(r->c, s, &parent, depth + 1, &list, &out->object))
        return false;
    out->column = row_item(r);
    sqlbuf_text(&r->items, "array(");
    sqlbuf_append(&r->items, &list);
    sqlbuf_text(&r->items, ")");
    return true;
}

static bool select_aggregate(struct row *r, struct source *source, const struct selection *s,
                             struct shape_field *out)
{
    const struct parent parent = {r, source};
    struct sqlbuf record;

    sqlbuf_init(&record, &r->c->params);
    out->kind = SHAPE_RECORD;
    r->nested = true;
    if (!plan_aggregate(r->c, s, &parent, true, &record, &out->object))
        return false;
    out->column = row_item(r);
    sqlbuf_text(&r->items, "(");
    sqlbuf_append(&r->items, &record);
    sqlbuf_text(&r->items, ")");
    return true;
}

static bool select_connection(struct row *r, struct source *source, const struct selection *s,
                              unsigned depth, struct shape_field *out)
{
    const struct parent parent = {r, source};
    struct connection_columns columns;

    r->nested = true;
    if (!plan_connection(r->c, s, &parent, r->nitems, depth + 1, &columns, out))
        return false;
    for (size_t i = 0; i < columns.n; i++) {
        row_item(r);
        sqlbuf_append(&r->items, &columns.sql[i]);
    }
    return true;
}

/* A value of a function of the row: worked out only where there is one. */
static bool select_function_value(struct row *r, struct source *source, const struct selection *s,
                                  unsigned depth, struct shape_field *out)
{
    bool joined = source != r->base;
    struct sqlbuf whole, value;

    sqlbuf_init(&whole, &r->c->params);
    sqlbuf_init(&value, &r->c->params);
    source_whole(r->c, source, &whole);
    if (!plan_call_value(r->c, s, &whole, depth + 1, &value, out))
        return false;
    out->column = row_item(r);
    if (joined) {
        sqlbuf_text(&r->items, "case when ");
        source_is_there(source, &r->items);
        sqlbuf_text(&r->items, " then ");
    }
    sqlbuf_append(&r->items, &value);
    if (joined)
        sqlbuf_text(&r->items, " end");
    return true;
}

/* left join lateral "function"(t1.*) t2 on true */
static bool join_function(struct row *r, struct source *source, const struct selection *s,
                          struct source *to)
{
    bool joined = source != r->base;
    struct sqlbuf whole;

    sqlbuf_init(&whole, &r->c->params);
    source_whole(r->c, source, &whole);
    sqlbuf_text(&r->joins, " left join lateral ");
    if (joined)
        sqlbuf_text(&r->joins, "(select * from ");
    if (!plan_call(r->c, s, &whole, &r->joins))
        return false;
    if (joined) {
        sqlbuf_text(&r->joins, " where ");
        source_is_there(source, &r->joins);
        sqlbuf_text(&r->joins, ")");
    }
    sqlbuf_text(&r->joins, " ");
    sqlbuf_alias(&r->joins, to->alias);
    sqlbuf_text(&r->joins, " on ");
    if (source_guarded(to->relation))
        source_guard(&r->joins, to->relation, to->alias);
    else
        sqlbuf_text(&r->joins, "true");
    return true;
}

static bool select_function_row(struct row *r, struct source *source, const struct selection *s,
                                unsigned depth, struct shape_field *out)
{
    struct source *to = source_new(r->c, s->field->relation);
    uint16_t presence;

    if (!join_function(r, source, s, to))
        return false;
    presence = row_item(r);
    sqlbuf_text(&r->items, "nullif(");
    source_is_there(to, &r->items);
    sqlbuf_text(&r->items, ", false)");
    out->kind = SHAPE_OBJECT;
    return select_object(r, to, s, presence, depth + 1, &out->object);
}

/* Outside the subquery that limits the rows, so that it is called for those of the page only. */
static bool select_function(struct row *r, struct source *source, const struct selection *s,
                            unsigned depth, struct shape_field *out)
{
    r->nested = true;
    switch (s->field->function->result) {
    case FUNCTION_VALUE:
    case FUNCTION_VALUES:
        return select_function_value(r, source, s, depth, out);
    case FUNCTION_ROW:
        return select_function_row(r, source, s, depth, out);
    case FUNCTION_ROWS:
        return select_to_many(r, source, s, depth, out);
    case FUNCTION_VOID:
    case FUNCTION_OUTCOME:
        break;
    }
    CHECK(!"a row has no such function");
    return false;
}

/* A column, or what is declared of one. */
static bool select_column(struct row *r, struct source *source, const struct selection *s,
                          struct object *object, unsigned depth, struct shape_field *out)
{
    const struct column *column = s->field->column;

    if (column->of != NULL) {
        object->document = row_column(r, source, column->of);
        return plan_key(r->c, &object->keys, s, depth, out);
    }
    if (column->composite != NULL && !column->document)
        return plan_composite_column(r, source, s, depth, out);
    out->column = row_column(r, source, column);
    out->kind = column->document ? SHAPE_DOCUMENT : SHAPE_VALUE;
    if (column->document)
        return plan_document(r->c, s, depth, out);
    out->codec = column->codec;
    return true;
}

static bool select_field(struct row *r, struct source *source, const struct selection *s,
                         struct object *object, unsigned depth, struct shape_field *out)
{
    plan_shape_field(r->c, s, out);
    if (r->nitems > MAX_ROW_COLUMNS)
        return plan_too_complex(r->c, s, "an object of the operation has too many fields");
    switch (s->field->resolver) {
    case RESOLVE_COLUMN:
        return select_column(r, source, s, object, depth, out);
    case RESOLVE_TO_ONE:
        return select_to_one(r, source, s, depth, out);
    case RESOLVE_TO_MANY:
        return select_to_many(r, source, s, depth, out);
    case RESOLVE_AGGREGATE:
        return select_aggregate(r, source, s, out);
    case RESOLVE_CONNECTION:
        return select_connection(r, source, s, depth, out);
    case RESOLVE_NODE_ID:
        plan_node_id(r, source, s, out);
        return true;
    case RESOLVE_TYPENAME:
        out->kind = SHAPE_TYPENAME;
        out->text = s->parent->name;
        return true;
    case RESOLVE_FUNCTION:
        return select_function(r, source, s, depth, out);
    case RESOLVE_PART:
    case RESOLVE_BY_KEY:
    case RESOLVE_LIST:
    case RESOLVE_COUNT:
    case RESOLVE_COUNT_DISTINCT:
    case RESOLVE_AGGREGATES:
    case RESOLVE_AGGREGATED:
    case RESOLVE_GROUPS:
    case RESOLVE_GROUP_KEY:
    case RESOLVE_CONNECTION_PART:
    case RESOLVE_NODE:
    case RESOLVE_CHANGE:
    case RESOLVE_AFFECTED:
    case RESOLVE_RETURNING:
    case RESOLVE_OUTCOME:
    case RESOLVE_INTROSPECTION:
        break;
    }
    CHECK(!"a row has no such field");
    return false;
}

static bool select_object(struct row *r, struct source *source, const struct selection *s,
                          int presence, unsigned depth, const struct shape **out)
{
    struct arena *a = r->c->in.arena;
    struct shape *shape = ARENA_NEW(a, struct shape);
    struct shape_field *fields = ARENA_ARRAY(a, s->nchildren, struct shape_field);
    struct object object = {.document = -1};

    if (depth > MAX_SHAPE_DEPTH)
        return plan_too_complex(r->c, s, "the operation is nested too deep");
    shape->fields = fields;
    shape->nfields = s->nchildren;
    shape->presence = presence;
    for (size_t i = 0; i < s->nchildren; i++)
        if (!select_field(r, source, s->children[i], &object, depth, &fields[i]))
            return false;
    plan_keys_finish(r->c, &object.keys, object.document, fields, shape);
    VEC_PUSH(r->c->in.scratch, &r->shapes, shape);
    *out = shape;
    return true;
}

void row_begin(struct compiler *c, struct source *base, struct row *r)
{
    *r = (struct row){.c = c, .base = base};
    sqlbuf_init(&r->items, &c->params);
    sqlbuf_init(&r->joins, &c->params);
}

bool row_select(struct row *r, const struct selection *s, unsigned depth,
                const struct shape **object)
{
    return select_object(r, r->base, s, -1, depth, object);
}

void row_end(struct row *r)
{
    if (r->nitems == 0) { /* only __typename: the row still has to arrive */
        row_item(r);
        sqlbuf_text(&r->items, "true");
    }
    for (size_t i = 0; i < r->shapes.n; i++)
        r->shapes.items[i]->ncolumns = r->nitems;
}

bool row_gather(struct compiler *c, struct source *base, const struct selection *s, unsigned depth,
                struct row *r, const struct shape **object)
{
    row_begin(c, base, r);
    if (!row_select(r, s, depth, object))
        return false;
    row_end(r);
    return true;
}

void row_write(const struct row *r, bool as_record, struct sqlbuf *out)
{
    sqlbuf_text(out, "select ");
    if (as_record)
        sqlbuf_text(out, "row(");
    sqlbuf_append(out, &r->items);
    if (as_record)
        sqlbuf_text(out, ")");
    sqlbuf_text(out, " from ");
}
