/*
 * group_inputs.c - the arguments of lists of groups: ProjectHavingInput, ProjectGroupOrderByInput.
 *
 * Thread:   one at a time.
 * Memory:   in the schema's arena.
 * Not here: the groups themselves (aggregate_types.c), lists of rows (inputs.c).
 */
#include "schema/aggregates.h"

static const struct part {
    enum aggregate function;
    const char *having; /* suffixes of the types of its columns */
    const char *order_by;
} parts[] = {
    {AGGREGATE_SUM,    "SumHavingInput",    "SumOrderByInput"   },
    {AGGREGATE_AVG,    "AvgHavingInput",    "AvgOrderByInput"   },
    {AGGREGATE_MIN,    "MinHavingInput",    "MinOrderByInput"   },
    {AGGREGATE_MAX,    "MaxHavingInput",    "MaxOrderByInput"   },
    {AGGREGATE_STDDEV, "StddevHavingInput", "StddevOrderByInput"},
};

/* What is made for one relation after the other. */
struct making {
    struct builder *b;
    const struct relation *r;
    struct built *made;
    struct column count;  /* as columns are described */
    struct inputs inputs; /* room for one type at a time */
};

/* May the columns of f be conditions or terms by the inputs that are for g? Results of different
 * types have different conditions. */
static bool is_alike(const struct relation *r, enum aggregate f, enum aggregate g, bool having)
{
    size_t i;

    for (i = 0; i < r->ncolumns; i++) {
        const struct column *x = column_aggregate(&r->columns[i], f);
        const struct column *y = column_aggregate(&r->columns[i], g);

        if (having ? x != y : (x == NULL) != (y == NULL))
            return false;
    }
    return true;
}

static void set_columns(struct making *m, enum aggregate f, bool having, struct type *t)
{
    size_t i;

    m->inputs.n = 0;
    for (i = 0; i < m->r->ncolumns; i++) {
        const struct column *c = &m->r->columns[i], *result = column_aggregate(c, f);
        struct input_value v = {.name = c->field_name, .column = c, .deprecated = c->deprecated};

        if (result == NULL)
            continue;
        v.role = having ? INPUT_WHERE_COLUMN : INPUT_ORDER_COLUMN;
        v.type = type_ref_named(having ? inputs_filter(m->b, result) : inputs_direction(m->b));
        VEC_PUSH(m->b->scratch, &m->inputs, v);
    }
    builder_set_inputs(m->b, t, &m->inputs);
}

/* Types of the conditions on each aggregate's columns, or of the order by them; NULL where it has
 * none. Those of several aggregates may be one, under the name of the first. */
static void make_parts(struct making *m, bool having, const struct type *out[])
{
    size_t i, j;

    for (i = 0; i < COUNT_OF(parts); i++) {
        struct type *t;

        out[i] = NULL;
        for (j = 0; j < m->r->ncolumns; j++)
            if (column_aggregate(&m->r->columns[j], parts[i].function) != NULL)
                break;
        if (j == m->r->ncolumns)
            continue;
        for (j = 0; j < i && out[i] == NULL; j++)
            if (is_alike(m->r, parts[i].function, parts[j].function, having))
                out[i] = out[j];
        if (out[i] != NULL)
            continue;
        out[i] = t = builder_derive_type(m->b, TYPE_INPUT_OBJECT, m->r,
                                         having ? parts[i].having : parts[i].order_by);
        t->description = having ? STR("Conditions on aggregates. All of them have to hold.")
                                : STR("An aggregate to sort groups by: one of these.");
        set_columns(m, parts[i].function, having, t);
    }
}

/* count, sum, … */
static void add_aggregates(struct making *m, bool having, const struct type *const types[])
{
    struct input_value count = {.name = aggregate_name(AGGREGATE_COUNT), .role = INPUT_AGGREGATE};
    size_t i;

    count.aggregate = AGGREGATE_COUNT;
    count.type = type_ref_named(having ? inputs_filter(m->b, &m->count) : inputs_direction(m->b));
    VEC_PUSH(m->b->scratch, &m->inputs, count);
    for (i = 0; i < COUNT_OF(parts); i++) {
        struct input_value v = {.name = aggregate_name(parts[i].function), .role = INPUT_AGGREGATE};

        if (types[i] == NULL)
            continue;
        v.aggregate = parts[i].function;
        v.type = type_ref_named(types[i]);
        VEC_PUSH(m->b->scratch, &m->inputs, v);
    }
}

static const struct type *make_having(struct making *m)
{
    struct type *t = builder_derive_type(m->b, TYPE_INPUT_OBJECT, m->r, "HavingInput");
    const struct type *types[COUNT_OF(parts)];

    t->description = STR("Conditions on groups. All of them have to hold.");
    make_parts(m, true, types);
    m->inputs.n = 0;
    add_aggregates(m, true, types);
    inputs_add_logic(m->b, t, &m->inputs);
    builder_set_inputs(m->b, t, &m->inputs);
    return t;
}

static const struct type *make_order_by(struct making *m)
{
    struct type *t = builder_derive_type(m->b, TYPE_INPUT_OBJECT, m->r, "GroupOrderByInput");
    const struct type *types[COUNT_OF(parts)];
    size_t i, n;

    t->description = STR("What to sort groups by: one of these.");
    make_parts(m, false, types);
    m->inputs.n = 0;
    for (i = 0; i < m->made->group->nfields; i++) {
        const struct field *key = &m->made->group->fields[i];

        if (key->resolver != RESOLVE_GROUP_KEY)
            break;
        n = m->inputs.n;
        inputs_add_order(m->b, key->column, &m->inputs);
        if (m->inputs.n == n)
            continue;
        m->inputs.items[n].name = key->name;
        /* By its values only: what else a column of rows may be sorted by is no key's. */
        if (m->inputs.items[n].type.type != inputs_direction(m->b))
            m->inputs.n = n;
    }
    add_aggregates(m, false, types);
    builder_set_inputs(m->b, t, &m->inputs);
    return t;
}

static void set_arguments(struct making *m)
{
    struct input_value *args = ARENA_ARRAY(m->b->arena, 6, struct input_value);
    const struct type *integer = builder_scalar(m->b, "Int");
    struct type_ref by = type_ref_required_list(m->made->field_enum);
    size_t n = 0;

    args[n++] = (struct input_value){.name = STR("by"), .role = INPUT_BY, .type = by};
    args[n++] = m->made->list[0];
    CHECK(args[1].role == INPUT_WHERE);
    args[n++] = (struct input_value){
        .name = STR("having"), .role = INPUT_HAVING, .type = type_ref_named(make_having(m))};
    args[n++] = (struct input_value){
        .name = STR("orderBy"), .role = INPUT_ORDER_BY, .type = type_ref_list(make_order_by(m))};
    args[n++] = (struct input_value){
        .name = STR("limit"), .role = INPUT_LIMIT, .type = type_ref_named(integer)};
    args[n++] = (struct input_value){
        .name = STR("offset"), .role = INPUT_OFFSET, .type = type_ref_named(integer)};
    m->made->grouping = args;
    m->made->ngrouping = n;
}

void groups_build(struct builder *b)
{
    struct making m = {.b = b};
    size_t i;

    values_describe_scalar(b, "int4", &m.count);
    for (i = 0; i < b->nrelations; i++) {
        m.r = &b->relations[i];
        m.made = &b->built[i];
        if (m.made->group != NULL)
            set_arguments(&m);
    }
}
