/*
 * plan_filter.c - filter arguments to predicates, by the operator table.
 *
 * Thread:   any.
 * Not here: the operators (schema/operators.c).
 *
 * Meaning: conditions side by side are AND-ed. Null or absent is no condition,
 * and so is an input object without members, except that
 *   - OR: [] is false, as the disjunction of nothing is; AND: [] says nothing;
 *   - NOT: {} is false;
 *   - a relation that is named has to be there: owner: {} and some: {} ask for a
 *     related row, none: {} asks that there be none, every: {} says nothing.
 * Comparisons are SQL's, so a null column is neither equal nor unequal, and NOT
 * of such a comparison does not hold either. `every` counts a row of which a
 * condition is unknown as one that does not fulfil it.
 *
 * Where rows are to be changed (compiler.strict), what would be no condition is
 * an error: it would have more rows changed than somebody meant.
 */
#include "planner/plan_filter.h"

#include "schema/operators.h"

#define MAX_FILTER_DEPTH 64

/*
 * Each is a join to PostgreSQL, whose planning grows faster than their square:
 * 20 take it a second, 50 twenty, all of it in one small request.
 */
#define MAX_RELATED 16

struct filter {
    struct compiler *c;
    unsigned alias;
    const struct column *of;  /* the conditions are on parts of this column; NULL: on columns */
    enum aggregate aggregate; /* they are on this aggregate of columns */
    struct sqlbuf *out;
    bool any; /* something was appended */
    unsigned depth;
};

static struct filter filter_inside(const struct filter *f, unsigned alias, struct sqlbuf *out)
{
    sqlbuf_init(out, &f->c->params);
    return (struct filter){
        .c = f->c, .alias = alias, .of = f->of, .out = out, .depth = f->depth + 1};
}

/* Before each condition. */
static void conjunction(struct filter *f)
{
    if (f->any)
        sqlbuf_text(f->out, " and ");
    f->any = true;
}

/* What is null, absent or empty says nothing. True: so it may. */
static bool says_nothing(const struct filter *f, const struct pvalue *v)
{
    return !f->c->strict || input_fail(&f->c->in, v,
                                       "a condition on what is to be changed cannot be null, "
                                       "absent or empty");
}

static bool filter_object(struct filter *f, const struct pvalue *where);
static bool filter_list(struct filter *f, const struct column *list, const struct pvalue *v);

/* --- operators of a column ------------------------------------------------------------ */

/* A cast of the table: behind @ in the schema of the column's extension. */
static struct str cast_type(struct compiler *c, const char *cast, const struct column *column)
{
    if (cast[0] != '@')
        return str_of(cast);
    return arena_printf(c->in.scratch, "%.*s.%s", STR_ARG(column->operators), cast + 1);
}

/*
 * The type an operand is cast to. A list of arrays cannot be an array of arrays,
 * which would have to be rectangular: it is bound as an array of texts, each cast
 * on its own.
 */
static void operand_type(struct compiler *c, const struct filter_operator *op,
                         const struct column *column, const struct pvalue *v, struct str *cast,
                         bool *array, bool *array_items)
{
    *cast = op->cast != NULL                 ? cast_type(c, op->cast, column)
            : op->operand == OPERAND_ELEMENT ? column->element_sql
                                             : column->type_sql;
    *array = op->cast == NULL && op->operand == OPERAND_LIST;
    *array_items = *array && v->type.nlists > 1;
}

static enum param_form form_of(enum operand operand)
{
    switch (operand) {
    case OPERAND_CONTAINS:
        return PARAM_CONTAINS;
    case OPERAND_STARTS:
        return PARAM_STARTS;
    case OPERAND_ENDS:
        return PARAM_ENDS;
    case OPERAND_VALUE:
    case OPERAND_LIST:
    case OPERAND_BOOLEAN:
    case OPERAND_TEXT:
    case OPERAND_ELEMENT:
    case OPERAND_PAIR:
        break;
    }
    return PARAM_TEXT;
}

static bool operand(struct compiler *c, const struct filter_operator *op,
                    const struct column *column, const struct pvalue *v, struct sqlbuf *out)
{
    struct str cast;
    bool array, array_items;

    operand_type(c, op, column, v, &cast, &array, &array_items);
    if (array_items) {
        sqlbuf_text(out, "select item.value");
        sqlbuf_cast(out, cast, false);
        sqlbuf_text(out, " from pg_catalog.unnest(");
        cast = STR("text");
    }
    if (!compile_value(c, v, form_of(op->operand), cast, array, out))
        return false;
    if (array_items)
        sqlbuf_text(out, ") item(value)");
    return true;
}

/* Both members are required, so they are there. */
static bool operand_pair(struct compiler *c, const struct filter_operator *op,
                         const struct column *column, const struct pvalue *v, struct sqlbuf out[2])
{
    for (size_t i = 0; i < 2; i++) {
        const char *cast = op->pair->members[i].cast;
        struct pvalue member = input_member(&c->in, v, i);

        if (member.kind != PVALUE_LEAF)
            return input_fail(&c->in, v, "\"%.*s\" cannot be null",
                              STR_ARG(op->pair->members[i].name));
        if (!compile_value(c, &member, PARAM_TEXT,
                           cast != NULL ? cast_type(c, cast, column) : column->type_sql, false,
                           &out[i]))
            return false;
    }
    return true;
}

/* A column that holds a document may hold JSON's null. */
static void write_operand_column(unsigned alias, const struct column *column, struct sqlbuf *out)
{
    bool document = column->document && column->of == NULL;

    if (document)
        sqlbuf_text(out, "nullif(");
    sqlbuf_column(out, alias, column);
    if (document)
        sqlbuf_text(out, ", 'null')");
}

static bool filter_operator(struct filter *f, const struct input_value *input,
                            const struct column *column, const struct pvalue *v)
{
    const struct filter_operator *op = input->op;
    bool null_safe = f->c->schema->null_safe_filters && op->sql_null_safe != NULL;
    const char *sql = null_safe ? op->sql_null_safe : op->sql;
    struct sqlbuf left, right[2];
    struct sqlpattern with = {
        column, &left, {&right[0], &right[1]}
    };

    if (v->kind == PVALUE_ABSENT)
        return v->variable < 0 || says_nothing(f, v);
    sqlbuf_init(&left, &f->c->params);
    sqlbuf_init(&right[0], &f->c->params);
    sqlbuf_init(&right[1], &f->c->params);
    write_operand_column(f->alias, column, &left);
    if (v->kind == PVALUE_NULL) {
        if (op->sql_null == NULL)
            return input_fail(&f->c->in, v, "\"%.*s\" cannot be compared with null",
                              STR_ARG(op->name));
        sql = op->sql_null;
    } else if (op->operand == OPERAND_BOOLEAN) {
        if (!input_boolean(v))
            sql = op->sql_false;
    } else if (op->operand == OPERAND_PAIR) {
        if (!operand_pair(f->c, op, column, v, right))
            return false;
    } else if (!operand(f->c, op, column, v, &right[0])) {
        return false;
    }
    conjunction(f);
    sqlbuf_text(f->out, "(");
    sqlbuf_pattern(f->out, sql, &with);
    sqlbuf_text(f->out, ")");
    return true;
}

static bool filter_parts(struct filter *f, const struct column *column, const struct pvalue *v)
{
    const struct column *of = f->of;
    bool ok;

    f->of = column;
    ok = filter_object(f, v);
    f->of = of;
    return ok;
}

static bool filter_operators(struct filter *f, const struct column *column, const struct pvalue *v)
{
    const struct type *t = v->type.type;
    size_t before = f->out->len;

    for (size_t i = 0; i < t->ninputs; i++) {
        struct pvalue member = input_member(&f->c->in, v, i);

        if (!filter_operator(f, &t->inputs[i], column, &member))
            return false;
    }
    return f->out->len > before || says_nothing(f, v);
}

static bool filter_column(struct filter *f, const struct input_value *input, const struct pvalue *v)
{
    const struct column *column = input->column;

    if (f->of != NULL)
        column = compile_part(f->c, f->of, column);
    if (f->aggregate != AGGREGATE_NONE)
        column = compile_aggregate(f->c, f->aggregate, column);
    if (column->composite != NULL && !column->is_array)
        return filter_parts(f, column, v);
    if (column->composite != NULL && column->composite->list_where == v->type.type)
        return filter_list(f, column, v);
    return filter_operators(f, column, v);
}

/* count: {gt: 1}, sum: {budget: {gt: 1}} */
static bool filter_aggregate(struct filter *f, enum aggregate aggregate, const struct pvalue *v)
{
    bool ok;

    if (aggregate == AGGREGATE_COUNT)
        return filter_operators(f, compile_aggregate(f->c, aggregate, NULL), v);
    f->aggregate = aggregate;
    ok = filter_object(f, v);
    f->aggregate = AGGREGATE_NONE;
    return ok;
}

/* --- relations -------------------------------------------------------------------------- */

static bool count_related(struct filter *f, size_t n)
{
    f->c->related += n;
    if (f->c->related <= MAX_RELATED)
        return true;
    errors_add(f->c->in.errs, QUERY_TOO_COMPLEX,
               "the filters of the operation have more than %d conditions on relations",
               MAX_RELATED);
    return false;
}

/* [not] exists (select from … [not coalesce(]condition[, false)]) */
static void write_exists(struct filter *f, enum quantifier quantifier, const struct sqlbuf *from,
                         const struct filter *inside)
{
    conjunction(f);
    if (quantifier != QUANTIFIER_SOME)
        sqlbuf_text(f->out, "not ");
    sqlbuf_text(f->out, "exists (select from ");
    sqlbuf_append(f->out, from);
    if (inside->any) {
        if (inside->of != NULL)
            sqlbuf_text(f->out, " where ");
        else
            sqlbuf_text(f->out, " and ");
        if (quantifier == QUANTIFIER_EVERY)
            sqlbuf_text(f->out, "not coalesce(");
        sqlbuf_append(f->out, inside->out);
        if (quantifier == QUANTIFIER_EVERY)
            sqlbuf_text(f->out, ", false)");
    }
    sqlbuf_text(f->out, ")");
}

/* related t2 where t2.key = t1.key */
static bool filter_related(struct filter *f, const struct relationship *r,
                           enum quantifier quantifier, const struct pvalue *where)
{
    unsigned alias = ++f->c->aliases;
    struct sqlbuf condition, from;
    struct filter inside = filter_inside(f, alias, &condition);

    inside.of = NULL;
    if (!count_related(f, r->via != NULL ? 2 : 1) || !filter_object(&inside, where))
        return false;
    if (quantifier == QUANTIFIER_EVERY && !inside.any)
        return says_nothing(f, where);
    sqlbuf_init(&from, &f->c->params);
    source_name(&from, r->to, alias);
    sqlbuf_text(&from, " where ");
    source_match(&from, r, f->alias, alias);
    write_exists(f, quantifier, &from, &inside);
    return true;
}

/* The items of a list of composites or documents, as t2."v". */
static void write_items(struct filter *f, const struct column *list, unsigned alias,
                        struct sqlbuf *out)
{
    sqlbuf_init(out, &f->c->params);
    if (list->document) {
        sqlbuf_text(out, "pg_catalog.jsonb_array_elements(case when pg_catalog.jsonb_typeof(");
        sqlbuf_column(out, f->alias, list);
        sqlbuf_text(out, ") = 'array' then ");
        sqlbuf_column(out, f->alias, list);
        sqlbuf_text(out, " end) ");
        sqlbuf_alias(out, alias);
        sqlbuf_text(out, "(v)");
        return;
    }
    sqlbuf_text(out, "(select pg_catalog.unnest(");
    sqlbuf_column(out, f->alias, list);
    sqlbuf_text(out, ") as v) ");
    sqlbuf_alias(out, alias);
}

static bool filter_items(struct filter *f, const struct column *list, enum quantifier quantifier,
                         const struct pvalue *where)
{
    unsigned alias = ++f->c->aliases;
    const struct column item = {
        .name = STR("v"), .composite = list->composite, .document = list->document};
    struct sqlbuf condition, from;
    struct filter inside = filter_inside(f, alias, &condition);

    inside.of = &item;
    if (!count_related(f, 1) || !filter_object(&inside, where))
        return false;
    if (quantifier == QUANTIFIER_EVERY && !inside.any)
        return says_nothing(f, where);
    write_items(f, list, alias, &from);
    write_exists(f, quantifier, &from, &inside);
    return true;
}

static bool filter_list(struct filter *f, const struct column *list, const struct pvalue *v)
{
    const struct type *t = v->type.type;
    size_t before = f->out->len;

    for (size_t i = 0; i < t->ninputs; i++) {
        struct pvalue member = input_member(&f->c->in, v, i);

        if (t->inputs[i].role == INPUT_OPERATOR) {
            if (!filter_operator(f, &t->inputs[i], list, &member))
                return false;
        } else if (member.kind == PVALUE_OBJECT) {
            if (!filter_items(f, list, t->inputs[i].quantifier, &member))
                return false;
        } else if (member.variable >= 0 && !says_nothing(f, &member)) {
            return false;
        }
    }
    return f->out->len > before || says_nothing(f, v);
}

static bool filter_relation(struct filter *f, const struct relationship *r, const struct pvalue *v)
{
    const struct type *t = v->type.type;
    size_t before = f->out->len;

    if (!r->to_many)
        return filter_related(f, r, QUANTIFIER_SOME, v);
    for (size_t i = 0; i < t->ninputs; i++) {
        struct pvalue member = input_member(&f->c->in, v, i);

        if (member.kind == PVALUE_OBJECT && !filter_related(f, r, t->inputs[i].quantifier, &member))
            return false;
        if (member.kind != PVALUE_OBJECT && member.variable >= 0 && !says_nothing(f, &member))
            return false;
    }
    return f->out->len > before || says_nothing(f, v);
}

/* --- AND, OR, NOT -------------------------------------------------------------------------- */

static bool filter_and(struct filter *f, const struct pvalue *v)
{
    if (v->n == 0 && !says_nothing(f, v))
        return false;
    for (size_t i = 0; i < v->n; i++) {
        struct pvalue item = input_item(&f->c->in, v, i);

        if (item.kind == PVALUE_OBJECT && !filter_object(f, &item))
            return false;
    }
    return true;
}

static bool filter_or(struct filter *f, const struct pvalue *v)
{
    size_t nparams = f->c->params.n;
    struct sqlbuf all;
    bool always = false;

    sqlbuf_init(&all, &f->c->params);
    for (size_t i = 0; i < v->n; i++) {
        struct pvalue item = input_item(&f->c->in, v, i);
        struct sqlbuf one;
        struct filter inside = filter_inside(f, f->alias, &one);

        if (item.kind == PVALUE_OBJECT && !filter_object(&inside, &item))
            return false;
        always = always || !inside.any;
        if (i > 0)
            sqlbuf_text(&all, " or ");
        sqlbuf_text(&all, "(");
        sqlbuf_append(&all, &one);
        sqlbuf_text(&all, ")");
    }
    if (v->n > 0 && always) {
        if (!says_nothing(f, v))
            return false;
        /* PostgreSQL refuses parameters that the statement does not mention. */
        f->c->params.n = nparams;
        return true;
    }
    conjunction(f);
    if (v->n == 0) {
        sqlbuf_text(f->out, "false");
        return true;
    }
    sqlbuf_text(f->out, "(");
    sqlbuf_append(f->out, &all);
    sqlbuf_text(f->out, ")");
    return true;
}

static bool filter_not(struct filter *f, const struct pvalue *v)
{
    struct sqlbuf one;
    struct filter inside = filter_inside(f, f->alias, &one);

    if (!filter_object(&inside, v))
        return false;
    conjunction(f);
    if (!inside.any) {
        sqlbuf_text(f->out, "false");
        return true;
    }
    sqlbuf_text(f->out, "not (");
    sqlbuf_append(f->out, &one);
    sqlbuf_text(f->out, ")");
    return true;
}

/* --- a where input ---------------------------------------------------------------------------- */

static bool filter_member(struct filter *f, const struct input_value *input, const struct pvalue *v)
{
    if (input->role == INPUT_OPERATOR)
        return filter_operator(f, input, f->of, v);
    if (v->kind == PVALUE_ABSENT || v->kind == PVALUE_NULL)
        return (v->kind == PVALUE_ABSENT && v->variable < 0) || says_nothing(f, v);
    switch (input->role) {
    case INPUT_WHERE_COLUMN:
        return filter_column(f, input, v);
    case INPUT_AGGREGATE:
        return filter_aggregate(f, input->aggregate, v);
    case INPUT_WHERE_RELATION:
        return filter_relation(f, input->relationship, v);
    case INPUT_WHERE_AND:
        return filter_and(f, v);
    case INPUT_WHERE_OR:
        return filter_or(f, v);
    case INPUT_WHERE_NOT:
        return filter_not(f, v);
    case INPUT_PLAIN:
    case INPUT_KEY:
    case INPUT_WHERE:
    case INPUT_ORDER_BY:
    case INPUT_LIMIT:
    case INPUT_OFFSET:
    case INPUT_NODE:
    case INPUT_FIRST:
    case INPUT_AFTER:
    case INPUT_LAST:
    case INPUT_BEFORE:
    case INPUT_DISTINCT_ON:
    case INPUT_FIELD:
    case INPUT_BY:
    case INPUT_HAVING:
    case INPUT_QUANTIFIER:
    case INPUT_OPERATOR:
    case INPUT_OPERAND:
    case INPUT_ORDER_COLUMN:
    case INPUT_ORDER_DISTANCE:
    case INPUT_ORDER_RELATION:
    case INPUT_INCLUDE_DEPRECATED:
    case INPUT_NAME:
    case INPUT_FUNCTION:
    case INPUT_PART:
    case INPUT_ROWS:
    case INPUT_VALUE:
    case INPUT_VALUE_RELATION:
    case INPUT_ON_CONFLICT:
    case INPUT_CONFLICT_KEY:
    case INPUT_CONFLICT_UPDATE:
    case INPUT_AT_MOST:
    case INPUT_ARGUMENTS:
    case INPUT_DOCUMENT:
        break;
    }
    CHECK(!"a where input has no such member");
    return false;
}

static bool filter_object(struct filter *f, const struct pvalue *where)
{
    const struct type *t = where->type.type;

    if (f->depth > MAX_FILTER_DEPTH)
        return input_fail(&f->c->in, where, "filter is nested more than %d deep", MAX_FILTER_DEPTH);
    f->depth++;
    for (size_t i = 0; i < t->ninputs; i++) {
        struct pvalue member = input_member(&f->c->in, where, i);

        if (!filter_member(f, &t->inputs[i], &member))
            return false;
    }
    f->depth--;
    return true;
}

bool plan_filter(struct compiler *c, unsigned alias, const struct pvalue *where, struct sqlbuf *out,
                 bool *any)
{
    struct sqlbuf condition;
    struct filter f = {.c = c, .alias = alias, .out = &condition};

    if (where->kind != PVALUE_OBJECT)
        return true;
    sqlbuf_init(&condition, &c->params);
    if (!filter_object(&f, where))
        return false;
    if (!f.any)
        return says_nothing(&f, where);
    if (*any)
        sqlbuf_text(out, " and ");
    else
        sqlbuf_text(out, " where ");
    *any = true;
    sqlbuf_append(out, &condition);
    return true;
}

bool plan_filter_groups(struct compiler *c, unsigned alias, const struct pvalue *having,
                        struct sqlbuf *out)
{
    struct sqlbuf condition;
    struct filter f = {.c = c, .alias = alias, .out = &condition};

    if (having->kind != PVALUE_OBJECT)
        return true;
    sqlbuf_init(&condition, &c->params);
    if (!filter_object(&f, having))
        return false;
    if (!f.any)
        return true;
    sqlbuf_text(out, " having ");
    sqlbuf_append(out, &condition);
    return true;
}

bool plan_filter_key(struct compiler *c, unsigned alias, const struct column *column,
                     const struct pvalue *value, struct sqlbuf *out)
{
    struct plan_param p;
    bool mixed;

    if (value->kind != PVALUE_LEAF)
        return input_fail(&c->in, value, "a key cannot be null");
    if (!input_parameter(&c->in, value, PARAM_TEXT, &p, &mixed))
        return false;
    CHECK(!mixed);
    sqlbuf_column(out, alias, column);
    sqlbuf_equals(out, column);
    sqlbuf_parameter(out, &p, column->type_sql, false);
    return true;
}
