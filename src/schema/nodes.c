/*
 * nodes.c - Relay's Node: the interface of rows with a key, and what finds them.
 *
 * Thread:   one at a time.
 * Memory:   in the schema's arena.
 * Not here: what an id holds (opaque.h), finding the row (planner/plan_node.c).
 *
 * The interface has `nodeId` and not `id`, which is a column's own name in most databases.
 */
#include "schema/build.h"

static const struct str id_name = STR_INIT("nodeId");

static struct field id_field(struct builder *b, const struct relation *r)
{
    return (struct field){.name = id_name,
                          .description = STR("Identifies the row among those of all types: the "
                                             "argument of `node`."),
                          .type = type_ref_required(builder_scalar(b, "ID")),
                          .resolver = RESOLVE_NODE_ID,
                          .relation = r};
}

/* Two fields of one name would be told of anyway; this says what to do about it. */
static void check_name(struct builder *b, const struct relation *r)
{
    struct error *e;
    size_t i;

    for (i = 0; i < r->ncolumns; i++) {
        if (!str_eq(r->columns[i].field_name, id_name))
            continue;
        e = errors_add(b->errs, SCHEMA_INVALID,
                       "column \"%.*s\" of \"%.*s.%.*s\" would be the field \"nodeId\", which each "
                       "type with a key has for Relay",
                       STR_ARG(r->columns[i].name), STR_ARG(r->schema), STR_ARG(r->name));
        e->hint = STR("give the column another name in a comment, or set schema.relay.node: false");
    }
}

void nodes_build(struct builder *b)
{
    const struct type **possible = ARENA_ARRAY(b->arena, b->nrelations, const struct type *);
    const struct type **interfaces = ARENA_ARRAY(b->arena, 1, const struct type *);
    struct fields fields = {0};
    struct type *node;
    size_t i, n = 0;

    for (i = 0; i < b->nrelations; i++)
        if (relation_visible_key(&b->relations[i]) != NULL)
            possible[n++] = b->built[i].object;
    if (n == 0)
        return;
    node = builder_add_type(b, TYPE_INTERFACE, STR("Node"), STR("Relay (see schema.relay.node)"));
    node->description = STR("A row that can be found by an id alone.");
    VEC_PUSH(b->scratch, &fields, id_field(b, NULL));
    builder_set_fields(b, node, &fields);
    node->possible = possible;
    node->npossible = n;
    interfaces[0] = node;
    for (i = 0; i < b->nrelations; i++) {
        if (relation_visible_key(&b->relations[i]) == NULL)
            continue;
        check_name(b, &b->relations[i]);
        b->built[i].object->interfaces = interfaces;
        b->built[i].object->ninterfaces = 1;
    }
    b->schema->node = node;
}

void nodes_add_id(struct builder *b, const struct relation *r, struct fields *out)
{
    if (b->built[builder_index(b, r)].object->ninterfaces > 0)
        VEC_PUSH(b->scratch, out, id_field(b, r));
}

void nodes_add_root(struct builder *b, struct fields *root)
{
    struct input_value *id;
    struct field f = {.name = STR("node"), .resolver = RESOLVE_NODE};

    if (b->schema->node == NULL)
        return;
    id = ARENA_NEW(b->arena, struct input_value);
    *id = (struct input_value){.name = STR("id"), .role = INPUT_NODE};
    id->description = STR("A nodeId.");
    id->type = type_ref_required(builder_scalar(b, "ID"));
    f.description = STR("The row with this nodeId, or null if there is none.");
    f.type = type_ref_named(b->schema->node);
    f.arguments = id;
    f.narguments = 1;
    VEC_PUSH(b->scratch, root, f);
}
