/*
 * objects.c - object types made of relations, and the query root.
 *
 * Thread:   one at a time.
 * Memory:   in the schema's arena.
 * Not here: relations themselves (relations.c), inputs (inputs.c).
 */
#include "schema/build.h"
#include "schema/naming.h"

void objects_add_columns(struct builder *b, const struct relation *r, struct fields *out)
{
    size_t i;

    for (i = 0; i < r->ncolumns; i++) {
        const struct column *c = &r->columns[i];
        struct field f = {.name = c->field_name, .resolver = RESOLVE_COLUMN, .column = c};

        f.description = c->comment;
        f.deprecated = c->deprecated;
        f.type = type_ref_of_column(c);
        VEC_PUSH(b->scratch, out, f);
    }
}

/* tasksAggregate, next to the list tasks. */
static void add_beside(struct builder *b, const struct field *list, const char *suffix,
                       struct field f, struct fields *out)
{
    f.name = arena_printf(b->arena, "%.*s%s", STR_ARG(list->name), suffix);
    f.deprecated = list->deprecated;
    f.relation = list->relation;
    f.relationship = list->relationship;
    VEC_PUSH(b->scratch, out, f);
}

static void add_aggregate(struct builder *b, const struct field *list, struct fields *out)
{
    const struct built *made = &b->built[builder_index(b, list->relation)];
    struct field f = {.resolver = RESOLVE_AGGREGATE, .arguments = made->list, .narguments = 1};

    CHECK(f.arguments[0].role == INPUT_WHERE);
    f.type = type_ref_required(made->aggregate);
    add_beside(b, list, "Aggregate", f, out);
}

static void add_groups(struct builder *b, const struct field *list, struct fields *out)
{
    const struct built *made = &b->built[builder_index(b, list->relation)];
    struct field f = {.resolver = RESOLVE_GROUPS, .arguments = made->grouping};

    if (made->group == NULL)
        return;
    f.narguments = made->ngrouping;
    f.type = type_ref_required_list(made->group);
    add_beside(b, list, "GroupBy", f, out);
}

static void add_connection(struct builder *b, const struct field *list, struct fields *out)
{
    const struct built *made = &b->built[builder_index(b, list->relation)];
    struct field f = {.resolver = RESOLVE_CONNECTION, .arguments = made->connecting};

    if (made->connection == NULL)
        return;
    f.narguments = made->nconnecting;
    f.description = list->description;
    f.type = type_ref_required(made->connection);
    add_beside(b, list, "Connection", f, out);
}

static void add_relationships(struct builder *b, const struct relation *r, struct fields *out)
{
    size_t i;

    for (i = 0; i < r->nrelationships; i++) {
        const struct relationship *w = &r->relationships[i];
        const struct built *to = &b->built[builder_index(b, w->to)];
        struct field f = {.name = w->field_name, .relationship = w, .relation = w->to};

        f.description = w->description;
        if (w->to_many) {
            f.resolver = RESOLVE_TO_MANY;
            f.type = type_ref_required_list(to->object);
            f.arguments = to->list;
            f.narguments = to->nlist;
        } else {
            f.resolver = RESOLVE_TO_ONE;
            f.type = w->nullable ? type_ref_named(to->object) : type_ref_required(to->object);
        }
        VEC_PUSH(b->scratch, out, f);
        if (w->to_many) {
            add_connection(b, &f, out);
            add_aggregate(b, &f, out);
        }
    }
}

static bool has_hidden_column(const struct relation *r, const struct key *k)
{
    size_t i;

    for (i = 0; i < k->n; i++)
        if (column_is_hidden(r, k->columns[i]))
            return true;
    return false;
}

/* project(id: ID!), projectBySlug(slug: String!) */
static void add_by_key(struct builder *b, const struct relation *r, const struct key *k,
                       struct fields *out)
{
    struct input_value *args = ARENA_ARRAY(b->arena, k->n, struct input_value);
    struct str name = naming_lower_first(r->type_name, b->arena);
    struct field f = {.resolver = RESOLVE_BY_KEY, .relation = r, .key = k};
    size_t i;

    for (i = 0; i < k->n; i++) {
        const struct column *c = k->columns[i];

        args[i] = (struct input_value){.name = c->field_name, .role = INPUT_KEY, .column = c};
        args[i].type = c->is_array ? type_ref_required_list(c->type) : type_ref_required(c->type);
        if (k != relation_key(r))
            name = arena_printf(b->arena, "%.*s%s%.*s", STR_ARG(name), i == 0 ? "By" : "And",
                                STR_ARG(naming_upper_first(c->field_name, b->scratch)));
    }
    f.name = name;
    f.description = arena_printf(b->arena, "The %.*s with this key, or null if there is none.",
                                 STR_ARG(r->type_name));
    f.deprecated = r->deprecated;
    f.type = type_ref_named(r->type);
    f.arguments = args;
    f.narguments = k->n;
    VEC_PUSH(b->scratch, out, f);
}

static void add_list(struct builder *b, const struct relation *r, struct fields *out)
{
    const struct built *made = &b->built[builder_index(b, r)];
    struct str one = naming_lower_first(r->type_name, b->scratch);
    struct field f = {.resolver = RESOLVE_LIST, .relation = r};

    f.name = naming_plural(one, b->arena);
    /* A word without a plural of its own: news. */
    if (str_eq(f.name, one))
        f.name = arena_printf(b->arena, "%.*sList", STR_ARG(one));
    f.description = r->comment;
    f.deprecated = r->deprecated;
    f.type = type_ref_required_list(r->type);
    f.arguments = made->list;
    f.narguments = made->nlist;
    VEC_PUSH(b->scratch, out, f);
    add_connection(b, &f, out);
    add_aggregate(b, &f, out);
    add_groups(b, &f, out);
}

void objects_build(struct builder *b)
{
    size_t i, j;

    for (i = 0; i < b->nrelations; i++) {
        const struct relation *r = &b->relations[i];

        objects_add_columns(b, r, &b->built[i].fields);
        nodes_add_id(b, r, &b->built[i].fields);
        add_relationships(b, r, &b->built[i].fields);
        for (j = 0; j < r->nkeys; j++)
            if (!has_hidden_column(r, &r->keys[j]))
                add_by_key(b, r, &r->keys[j], &b->query);
        add_list(b, r, &b->query);
    }
    nodes_add_root(b, &b->query);
}

void objects_finish(struct builder *b)
{
    size_t i;

    for (i = 0; i < b->nrelations; i++)
        builder_set_fields(b, b->built[i].object, &b->built[i].fields);
    builder_set_fields(b, builder_find_type(b, STR("Query")), &b->query);
}
