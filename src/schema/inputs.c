/*
 * inputs.c - derived input types: conditions, order, and the arguments of lists.
 *
 * Thread:   one at a time.
 * Memory:   in the schema's arena.
 * Not here: what an operator means (operators.c, planner/plan_filter.c).
 */
#include "schema/build.h"
#include "schema/naming.h"
#include "schema/operators.h"

static const struct direction {
    struct str name;
    enum order_direction value;
    const char *description;
} directions[] = {
    {STR_INIT("ASC"),              ORDER_ASC,              "Ascending, nulls last."  },
    {STR_INIT("DESC"),             ORDER_DESC,             "Descending, nulls first."},
    {STR_INIT("ASC_NULLS_FIRST"),  ORDER_ASC_NULLS_FIRST,  "Ascending, nulls first." },
    {STR_INIT("ASC_NULLS_LAST"),   ORDER_ASC_NULLS_LAST,   "Ascending, nulls last."  },
    {STR_INIT("DESC_NULLS_FIRST"), ORDER_DESC_NULLS_FIRST, "Descending, nulls first."},
    {STR_INIT("DESC_NULLS_LAST"),  ORDER_DESC_NULLS_LAST,  "Descending, nulls last." },
};

static const struct quantifier_row {
    struct str name;
    enum quantifier value;
    const char *description;
} quantifiers[] = {
    {STR_INIT("some"),  QUANTIFIER_SOME,  "At least one of them fulfils this."         },
    {STR_INIT("every"), QUANTIFIER_EVERY, "All of them fulfil this, or there are none."},
    {STR_INIT("none"),  QUANTIFIER_NONE,  "None of them fulfils this."                 },
};

/* --- operator inputs -------------------------------------------------------------------------- */

static unsigned filter_classes(const struct column *c)
{
    if (!c->comparable)
        return FILTER_ANY;
    if (c->is_array)
        return FILTER_ANY | FILTER_EQUAL | FILTER_ARRAY;
    if (c->full_text)
        return c->scalar->filters | FILTER_FULL_TEXT;
    return c->scalar != NULL ? c->scalar->filters : FILTER_ANY | FILTER_EQUAL;
}

/* IpAddressRange, VectorDistance: one type for all columns. */
static const struct type *pair_type(struct builder *b, const struct operand_pair *p,
                                    const struct column *c)
{
    struct type *t = builder_find_type(b, p->type);
    struct inputs inputs = {0};

    if (t != NULL && t->ninputs > 0 && t->inputs[0].role == INPUT_OPERAND)
        return t;
    t = builder_add_type(b, TYPE_INPUT_OBJECT, p->type, STR("the operand of a filter"));
    t->description = p->description;
    for (size_t i = 0; i < COUNT_OF(p->members); i++) {
        const struct operand_member *m = &p->members[i];
        struct input_value v = {.name = m->name, .role = INPUT_OPERAND};

        v.type = type_ref_required(m->scalar ? builder_scalar(b, m->scalar) : c->type);
        VEC_PUSH(b->scratch, &inputs, v);
    }
    builder_set_inputs(b, t, &inputs);
    return t;
}

static struct type_ref operand_type(struct builder *b, const struct filter_operator *op,
                                    const struct column *c)
{
    const struct type *t = op->scalar ? builder_scalar(b, op->scalar) : c->type;
    bool list = c->is_array && op->scalar == NULL;

    switch (op->operand) {
    case OPERAND_ELEMENT:
        return type_ref_named(t);
    case OPERAND_PAIR:
        return type_ref_named(pair_type(b, op->pair, c));
    case OPERAND_VALUE:
        return (struct type_ref){t, list, 0}; /* arrays may have nulls in them */
    case OPERAND_LIST:
        return list ? (struct type_ref){t, 2, 2} : type_ref_list(t);
    case OPERAND_BOOLEAN:
        return type_ref_named(builder_scalar(b, "Boolean"));
    case OPERAND_TEXT:
    case OPERAND_CONTAINS:
    case OPERAND_STARTS:
    case OPERAND_ENDS:
        break;
    }
    return type_ref_named(builder_scalar(b, "String"));
}

/* StringFilter, StringListFilter, TaskStatusFilter: one per type of columns. */
const struct type *inputs_filter(struct builder *b, const struct column *c)
{
    unsigned classes = filter_classes(c);
    struct inputs inputs = {0};
    struct str name = STR("NullFilter");
    struct type *t;
    size_t i;

    if (c->composite != NULL && !c->is_array)
        return composite_where(b, c->composite);
    if (c->composite != NULL && c->nlists <= 1)
        return composite_list_where(b, c->composite);
    if (classes != FILTER_ANY)
        name = arena_printf(b->arena, "%.*s%s", STR_ARG(c->type->name),
                            c->is_array    ? "ListFilter"
                            : c->full_text ? "SearchFilter"
                                           : "Filter");
    t = builder_find_type(b, name);
    if (t != NULL && t->kind == TYPE_INPUT_OBJECT && t->ninputs > 0 &&
        t->inputs[0].role == INPUT_OPERATOR)
        return t;
    t = builder_add_type(b, TYPE_INPUT_OBJECT, name, STR("a filter"));
    if (classes == FILTER_ANY)
        t->description = STR("Conditions on a value that cannot be compared.");
    else
        t->description =
            arena_printf(b->arena, "Conditions on %s%.*s. All of them have to hold.",
                         c->is_array ? "a list of " : "a value of type ", STR_ARG(c->type->name));
    for (i = 0; i < operator_count(); i++) {
        const struct filter_operator *op = operator_at(i);
        struct input_value v = {.name = op->name, .role = INPUT_OPERATOR, .op = op};

        if (!(op->classes & classes))
            continue;
        v.description = str_of(op->description);
        v.type = operand_type(b, op, c);
        VEC_PUSH(b->scratch, &inputs, v);
    }
    builder_set_inputs(b, t, &inputs);
    return t;
}

/* --- conditions on a relation ----------------------------------------------------------------- */

void inputs_add_quantifiers(struct builder *b, const struct type *where, struct inputs *out)
{
    size_t i;

    for (i = 0; i < COUNT_OF(quantifiers); i++) {
        struct input_value v = {.name = quantifiers[i].name, .role = INPUT_QUANTIFIER};

        v.description = str_of(quantifiers[i].description);
        v.quantifier = quantifiers[i].value;
        v.type = type_ref_named(where);
        VEC_PUSH(b->scratch, out, v);
    }
}

/* Conditions on a list of r's type. */
static const struct type *list_where(struct builder *b, const struct relation *r)
{
    struct built *made = &b->built[builder_index(b, r)];
    struct inputs inputs = {0};

    if (made->list_where != NULL)
        return made->list_where;
    made->list_where = builder_add_type(
        b, TYPE_INPUT_OBJECT, arena_printf(b->arena, "%.*sListWhereInput", STR_ARG(r->type_name)),
        STR("the conditions of a list"));
    made->list_where->relation = r;
    made->list_where->description =
        arena_printf(b->arena, "Conditions on a list of %.*s.", STR_ARG(r->type_name));
    inputs_add_quantifiers(b, made->where, &inputs);
    builder_set_inputs(b, made->list_where, &inputs);
    builder_release_inputs(b, &inputs);
    return made->list_where;
}

void inputs_add_logic(struct builder *b, const struct type *where, struct inputs *out)
{
    VEC_PUSH(b->scratch, out,
             (struct input_value){.name = STR("AND"),
                                  .description = STR("All of these hold."),
                                  .role = INPUT_WHERE_AND,
                                  .type = type_ref_list(where)});
    VEC_PUSH(b->scratch, out,
             (struct input_value){.name = STR("OR"),
                                  .description = STR("At least one of these holds."),
                                  .role = INPUT_WHERE_OR,
                                  .type = type_ref_list(where)});
    VEC_PUSH(b->scratch, out,
             (struct input_value){.name = STR("NOT"),
                                  .description = STR("This does not hold."),
                                  .role = INPUT_WHERE_NOT,
                                  .type = type_ref_named(where)});
}

static void set_where(struct builder *b, const struct relation *r, struct type *where)
{
    struct inputs inputs = {0};
    size_t i;

    for (i = 0; i < r->ncolumns; i++) {
        const struct column *c = &r->columns[i];
        struct input_value v = {.name = c->field_name, .role = INPUT_WHERE_COLUMN, .column = c};

        v.deprecated = c->deprecated;
        v.type = type_ref_named(inputs_filter(b, c));
        VEC_PUSH(b->scratch, &inputs, v);
    }
    for (i = 0; i < r->nrelationships; i++) {
        const struct relationship *w = &r->relationships[i];
        struct input_value v = {.name = w->field_name, .role = INPUT_WHERE_RELATION};

        v.relationship = w;
        v.type = type_ref_named(w->to_many ? list_where(b, w->to)
                                           : b->built[builder_index(b, w->to)].where);
        VEC_PUSH(b->scratch, &inputs, v);
    }
    inputs_add_logic(b, where, &inputs);
    builder_set_inputs(b, where, &inputs);
    builder_release_inputs(b, &inputs);
}

/* --- order ------------------------------------------------------------------------------------ */

static bool has_sortable(struct builder *b, const struct relation *r)
{
    size_t i;

    for (i = 0; i < r->ncolumns; i++) {
        const struct column *c = &r->columns[i];

        if (column_sortable(c) ||
            (c->composite != NULL && !c->is_array && composite_order_by(b, c->composite) != NULL))
            return true;
    }
    return false;
}

const struct type *inputs_direction(struct builder *b)
{
    struct enum_value values[COUNT_OF(directions)] = {0};
    struct type *t = builder_find_type(b, STR("OrderDirection"));
    size_t i;

    if (t != NULL)
        return t;
    t = builder_add_type(b, TYPE_ENUM, STR("OrderDirection"), STR("the directions of an order"));
    t->description = STR("Which values come first.");
    for (i = 0; i < COUNT_OF(directions); i++) {
        values[i].name = values[i].label = directions[i].name;
        values[i].description = str_of(directions[i].description);
        values[i].value = (int)directions[i].value;
    }
    builder_set_values(b, t, values, COUNT_OF(values));
    return t;
}

/* {to: [1, 2, 3], direction: ASC} */
static struct type *distance_order(struct builder *b, const struct column *c)
{
    struct inputs inputs = {0};
    struct type *t = builder_add_type(b, TYPE_INPUT_OBJECT, STR("VectorOrder"), STR("an order"));

    t->description = STR("By distance from a vector; from near to far, if nothing is said.");
    VEC_PUSH(b->scratch, &inputs,
             (struct input_value){
                 .name = STR("to"), .role = INPUT_OPERAND, .type = type_ref_required(c->type)});
    VEC_PUSH(b->scratch, &inputs,
             (struct input_value){.name = STR("direction"),
                                  .role = INPUT_PLAIN,
                                  .type = type_ref_named(inputs_direction(b))});
    builder_set_inputs(b, t, &inputs);
    return t;
}

/* Vectors have no order that means something, but distances from one. NULL: it is none. */
static const struct type *vector_order_by(struct builder *b, const struct column *c)
{
    struct type *t = builder_find_type(b, STR("VectorOrderByInput")), *order;
    struct inputs inputs = {0};

    if (c->is_array || c->scalar == NULL || !(c->scalar->filters & FILTER_VECTOR))
        return NULL;
    if (t != NULL && t->ninputs > 0 && t->inputs[0].role == INPUT_ORDER_DISTANCE)
        return t;
    t = builder_add_type(b, TYPE_INPUT_OBJECT, STR("VectorOrderByInput"), STR("an order"));
    t->description = STR("What to sort by of a vector: one of these.");
    order = distance_order(b, c);
    for (size_t i = 0; i < operator_count(); i++) {
        const struct filter_operator *op = operator_at(i);

        if (op->distance.len > 0)
            VEC_PUSH(b->scratch, &inputs,
                     (struct input_value){.name = op->name,
                                          .role = INPUT_ORDER_DISTANCE,
                                          .op = op,
                                          .description = str_of(op->description),
                                          .type = type_ref_named(order)});
    }
    builder_set_inputs(b, t, &inputs);
    return t;
}

void inputs_add_order(struct builder *b, const struct column *c, struct inputs *out)
{
    struct input_value v = {.name = c->field_name, .role = INPUT_ORDER_COLUMN, .column = c};
    const struct type *parts = NULL;

    if (c->composite != NULL && !c->is_array)
        parts = composite_order_by(b, c->composite);
    else
        parts = vector_order_by(b, c);
    if (parts == NULL && !column_sortable(c))
        return;
    v.deprecated = c->deprecated;
    v.type = type_ref_named(parts != NULL ? parts : inputs_direction(b));
    VEC_PUSH(b->scratch, out, v);
}

static void set_order_by(struct builder *b, const struct relation *r, struct type *order_by)
{
    struct inputs inputs = {0};
    size_t i;

    for (i = 0; i < r->ncolumns; i++)
        inputs_add_order(b, &r->columns[i], &inputs);
    for (i = 0; i < r->nrelationships; i++) {
        const struct relationship *w = &r->relationships[i];
        struct input_value v = {.name = w->field_name, .role = INPUT_ORDER_RELATION};

        if (w->to_many || b->built[builder_index(b, w->to)].order_by == NULL)
            continue;
        v.relationship = w;
        v.type = type_ref_named(b->built[builder_index(b, w->to)].order_by);
        VEC_PUSH(b->scratch, &inputs, v);
    }
    builder_set_inputs(b, order_by, &inputs);
    builder_release_inputs(b, &inputs);
}

/* --- arguments of lists ----------------------------------------------------------------------- */

#define PAGE_ARGUMENTS 2

const struct input_value *inputs_page(struct builder *b, size_t *n)
{
    const struct type *integer = builder_scalar(b, "Int");
    struct input_value *args;

    *n = PAGE_ARGUMENTS;
    if (b->page != NULL)
        return b->page;
    b->page = args = ARENA_ARRAY(b->arena, PAGE_ARGUMENTS, struct input_value);
    args[0] = (struct input_value){
        .name = STR("limit"), .role = INPUT_LIMIT, .type = type_ref_named(integer)};
    args[1] = (struct input_value){
        .name = STR("offset"), .role = INPUT_OFFSET, .type = type_ref_named(integer)};
    return b->page;
}

static void set_list_arguments(struct builder *b, struct built *made)
{
    struct input_value *args = ARENA_ARRAY(b->arena, 3 + PAGE_ARGUMENTS, struct input_value);
    const struct input_value *page;
    size_t n = 0, npage;

    args[n++] = (struct input_value){
        .name = STR("where"), .role = INPUT_WHERE, .type = type_ref_named(made->where)};
    if (made->order_by != NULL)
        args[n++] = (struct input_value){
            .name = STR("orderBy"), .role = INPUT_ORDER_BY, .type = type_ref_list(made->order_by)};
    page = inputs_page(b, &npage);
    memcpy(args + n, page, npage * sizeof(*args));
    n += npage;
    if (made->field_enum != NULL)
        args[n++] = (struct input_value){.name = STR("distinctOn"),
                                         .role = INPUT_DISTINCT_ON,
                                         .type = type_ref_list(made->field_enum)};
    made->list = args;
    made->nlist = n;
}

void inputs_build(struct builder *b)
{
    size_t i;

    for (i = 0; i < b->nrelations; i++) {
        const struct relation *r = &b->relations[i];

        b->built[i].where = builder_derive_type(b, TYPE_INPUT_OBJECT, r, "WhereInput");
        b->built[i].where->description = arena_printf(
            b->arena, "Conditions on a %.*s. All of them have to hold.", STR_ARG(r->type_name));
        if (!has_sortable(b, r))
            continue;
        b->built[i].order_by = builder_derive_type(b, TYPE_INPUT_OBJECT, r, "OrderByInput");
        b->built[i].order_by->description = arena_printf(
            b->arena, "What to sort a list of %.*s by: one of these.", STR_ARG(r->type_name));
    }
    for (i = 0; i < b->nrelations; i++) {
        set_where(b, &b->relations[i], b->built[i].where);
        if (b->built[i].order_by != NULL)
            set_order_by(b, &b->relations[i], b->built[i].order_by);
        fieldenum_build(b, &b->relations[i]);
        set_list_arguments(b, &b->built[i]);
    }
}
