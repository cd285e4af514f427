/*
 * aggregate_types.c - the object types of aggregates: ProjectAggregate and what is in it.
 *
 * Thread:   one at a time.
 * Memory:   in the schema's arena.
 * Not here: which aggregates there are (aggregates.c), the fields that lead to them (objects.c).
 */
#include "schema/aggregates.h"

static const struct part {
    enum aggregate function;
    const char *suffix;
    const char *description;
} parts[] = {
    {AGGREGATE_SUM,    "Sum",    "Sums of values; null where there are none."    },
    {AGGREGATE_AVG,    "Avg",    "Averages of values; null where there are none."},
    {AGGREGATE_MIN,    "Min",    "Least values; null where there are none."      },
    {AGGREGATE_MAX,    "Max",    "Greatest values; null where there are none."   },
    {AGGREGATE_STDDEV, "Stddev",
     "Standard deviations of samples; null where there are less than two values."},
};

/* Do two have the same fields of the same types? */
static bool is_alike(const struct relation *r, enum aggregate f, enum aggregate g)
{
    size_t i;

    for (i = 0; i < r->ncolumns; i++)
        if (column_aggregate(&r->columns[i], f) != column_aggregate(&r->columns[i], g))
            return false;
    return true;
}

static void set_columns(struct builder *b, const struct relation *r, enum aggregate f,
                        struct type *t)
{
    struct fields fields = {0};
    size_t i;

    for (i = 0; i < r->ncolumns; i++) {
        const struct column *c = &r->columns[i], *result = column_aggregate(c, f);
        struct field out = {.name = c->field_name, .resolver = RESOLVE_AGGREGATED, .column = c};

        if (result == NULL)
            continue;
        out.description = c->comment;
        out.deprecated = c->deprecated;
        out.type = (struct type_ref){result->type, result->is_array, 0};
        VEC_PUSH(b->scratch, &fields, out);
    }
    builder_set_fields(b, t, &fields);
    builder_release_fields(b, &fields);
}

/* ProjectSum; NULL if there is nothing to add up. `made`: those of the relation so far, whose
 * fields are shared where they are the same. */
static struct type *part_type(struct builder *b, const struct relation *r, size_t index,
                              struct type *const *made)
{
    const struct part *p = &parts[index];
    struct type *t;
    size_t i;

    for (i = 0; i < r->ncolumns && column_aggregate(&r->columns[i], p->function) == NULL; i++)
        continue;
    if (i == r->ncolumns)
        return NULL;
    t = builder_derive_type(b, TYPE_OBJECT, r, p->suffix);
    t->description = str_of(p->description);
    for (i = 0; i < index; i++) {
        if (made[i] == NULL || !is_alike(r, parts[i].function, p->function))
            continue;
        t->fields = made[i]->fields;
        t->nfields = made[i]->nfields;
        t->members = made[i]->members;
        return t;
    }
    set_columns(b, r, p->function, t);
    return t;
}

static void add_counts(struct builder *b, const struct built *made, struct fields *out)
{
    const struct type *integer = builder_scalar(b, "Int");
    struct field count = {.name = STR("count"), .resolver = RESOLVE_COUNT};
    struct field distinct = {.name = STR("countDistinct"), .resolver = RESOLVE_COUNT_DISTINCT};
    struct input_value *of;

    count.description = STR("How many there are.");
    count.type = type_ref_required(integer);
    VEC_PUSH(b->scratch, out, count);
    if (made->field_enum == NULL)
        return;
    of = ARENA_NEW(b->arena, struct input_value);
    *of = (struct input_value){.name = STR("field"), .role = INPUT_FIELD};
    of->type = type_ref_required(made->field_enum);
    distinct.description = STR("How many different values a field has; null is none.");
    distinct.type = type_ref_required(integer);
    distinct.arguments = of;
    distinct.narguments = 1;
    VEC_PUSH(b->scratch, out, distinct);
}

/* A column's name, unless it is that of an aggregate or of another column. */
static struct str key_name(struct builder *b, const struct relation *r, const struct column *c)
{
    struct str name = c->field_name;
    size_t i;
    int f;

    for (f = AGGREGATE_NONE + 1; f < NAGGREGATES; f++)
        if (str_eq(name, aggregate_name((enum aggregate)f)))
            name = arena_printf(b->arena, "%.*sKey", STR_ARG(name));
    if (name.data == c->field_name.data)
        return name;
    for (i = 0; i < r->ncolumns; i++) {
        if (str_eq(name, r->columns[i].field_name)) {
            name = arena_printf(b->arena, "%.*sKey", STR_ARG(name));
            i = (size_t)-1; /* look through all again */
        }
    }
    return name;
}

static void add_keys(struct builder *b, const struct relation *r, const struct built *made,
                     struct fields *out)
{
    size_t i;

    for (i = 0; made->field_enum != NULL && i < made->field_enum->nvalues; i++) {
        const struct column *c = &r->columns[made->field_enum->values[i].value];
        struct field f = {.resolver = RESOLVE_GROUP_KEY, .column = c};

        f.name = key_name(b, r, c);
        f.description = c->comment;
        f.deprecated = c->deprecated;
        f.type = (struct type_ref){c->type, c->is_array, c->not_null && !c->optional};
        VEC_PUSH(b->scratch, out, f);
    }
}

/* The fields of groups, keys first; the others are those of ProjectAggregate. `room` is made use
 * of: thousands of relations would each have their own. */
static void build_aggregate(struct builder *b, const struct relation *r, struct built *made,
                            struct fields *room)
{
    struct type *types[COUNT_OF(parts)];
    const struct field *fields;
    size_t i, nkeys, n;

    for (i = 0; i < COUNT_OF(parts); i++)
        types[i] = part_type(b, r, i, types);
    room->n = 0;
    add_keys(b, r, made, room);
    nkeys = room->n;
    add_counts(b, made, room);
    for (i = 0; i < COUNT_OF(parts); i++) {
        struct field f = {.name = aggregate_name(parts[i].function),
                          .resolver = RESOLVE_AGGREGATES,
                          .aggregate = parts[i].function};

        if (types[i] == NULL)
            continue;
        f.type = type_ref_required(types[i]);
        VEC_PUSH(b->scratch, room, f);
    }
    n = room->n - nkeys;
    fields = arena_copy(b->arena, room->items, room->n * sizeof(*fields));
    made->aggregate = builder_derive_type(b, TYPE_OBJECT, r, "Aggregate");
    made->aggregate->description = STR("What all rows together come to.");
    builder_share_fields(b, made->aggregate, fields + nkeys, n);
    if (nkeys == 0)
        return;
    made->group = builder_derive_type(b, TYPE_OBJECT, r, "Group");
    made->group->description = STR("Rows with the same values of the fields they are grouped by. "
                                   "Of the others nothing can be selected but aggregates.");
    builder_share_fields(b, made->group, fields, room->n);
}

void aggregates_build(struct builder *b)
{
    struct fields room = {0};
    size_t i;

    for (i = 0; i < b->nrelations; i++)
        build_aggregate(b, &b->relations[i], &b->built[i], &room);
}
