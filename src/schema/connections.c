/*
 * connections.c - types and arguments of connections: lists in pages, as Relay has them.
 *
 * Thread:   one at a time.
 * Memory:   in the schema's arena.
 * Not here: the fields that lead to them (objects.c), what they mean (planner/plan_connection.c).
 *
 * A relation has a connection if its rows can be put in an order: by its key, or else by all
 * columns that can be sorted by.
 */
#include "schema/build.h"

/* name, description, what it is */
struct part {
    struct str name;
    const char *description;
    enum connection_part part;
};

static const struct part connection_parts[] = {
    {STR_INIT("edges"),      "The rows of this page, each with its cursor.",    CONNECTION_EDGES      },
    {STR_INIT("nodes"),      "The rows of this page.",                          CONNECTION_NODES      },
    {STR_INIT("pageInfo"),   "What lies around this page.",                     CONNECTION_PAGE_INFO  },
    {STR_INIT("totalCount"),
     "The number of rows of all pages, which takes longer the more there are.", CONNECTION_TOTAL_COUNT},
};

static const struct part edge_parts[] = {
    {STR_INIT("cursor"), "The place of the row, for `after` and `before` of the same order.",
     CONNECTION_EDGE_CURSOR                                                                                       },
    {STR_INIT("node"),   "The row.",                                                          CONNECTION_EDGE_NODE},
};

static const struct part page_parts[] = {
    {STR_INIT("hasNextPage"),     "Whether there are rows behind this page.",           CONNECTION_HAS_NEXT},
    {STR_INIT("hasPreviousPage"), "Whether there are rows before this page.",
     CONNECTION_HAS_PREVIOUS                                                                               },
    {STR_INIT("startCursor"),     "The place of the first row; null if there is none.",
     CONNECTION_START_CURSOR                                                                               },
    {STR_INIT("endCursor"),       "The place of the last row; null if there is none.",
     CONNECTION_END_CURSOR                                                                                 },
};

static struct field part_field(const struct part *p, struct type_ref type)
{
    return (struct field){.name = p->name,
                          .description = str_of(p->description),
                          .type = type,
                          .resolver = RESOLVE_CONNECTION_PART,
                          .part = p->part};
}

static const struct type *page_info(struct builder *b)
{
    struct type *t = builder_add_type(b, TYPE_OBJECT, STR("PageInfo"),
                                      STR("connections (see schema.relay.connections)"));
    const struct type *boolean = builder_scalar(b, "Boolean");
    const struct type *string = builder_scalar(b, "String");
    struct fields fields = {0};
    size_t i;

    t->description = STR("What lies around a page of a connection.");
    for (i = 0; i < COUNT_OF(page_parts); i++) {
        bool flag = page_parts[i].part == CONNECTION_HAS_NEXT ||
                    page_parts[i].part == CONNECTION_HAS_PREVIOUS;
        struct type_ref type = flag ? type_ref_required(boolean) : type_ref_named(string);

        VEC_PUSH(b->scratch, &fields, part_field(&page_parts[i], type));
    }
    builder_set_fields(b, t, &fields);
    builder_release_fields(b, &fields);
    return t;
}

static const struct type *edge_type(struct builder *b, const struct relation *r)
{
    struct type *t = builder_derive_type(b, TYPE_OBJECT, r, "Edge");
    struct fields fields = {0};

    t->description = arena_printf(b->arena, "A %.*s in a connection.", STR_ARG(r->type_name));
    VEC_PUSH(b->scratch, &fields,
             part_field(&edge_parts[0], type_ref_required(builder_scalar(b, "String"))));
    VEC_PUSH(b->scratch, &fields, part_field(&edge_parts[1], type_ref_required(r->type)));
    builder_set_fields(b, t, &fields);
    builder_release_fields(b, &fields);
    return t;
}

static struct type *connection_type(struct builder *b, const struct relation *r,
                                    const struct type *info)
{
    struct type *t = builder_derive_type(b, TYPE_OBJECT, r, "Connection");
    const struct type_ref types[] = {
        type_ref_required_list(edge_type(b, r)),
        type_ref_required_list(r->type),
        type_ref_required(info),
        type_ref_required(builder_scalar(b, "Int")),
    };
    struct fields fields = {0};
    size_t i;

    t->description = arena_printf(b->arena, "A page of a list of %.*s.", STR_ARG(r->type_name));
    for (i = 0; i < COUNT_OF(connection_parts); i++)
        VEC_PUSH(b->scratch, &fields, part_field(&connection_parts[i], types[i]));
    builder_set_fields(b, t, &fields);
    builder_release_fields(b, &fields);
    return t;
}

/* where and orderBy are the list's. */
static void set_arguments(struct builder *b, struct built *made)
{
    static const struct input_value paging[] = {
        {.name = STR_INIT("first"),
         .description = STR_INIT("So many rows from the beginning, or behind `after`."),
         .role = INPUT_FIRST },
        {.name = STR_INIT("after"),
         .description = STR_INIT("Only rows behind this cursor."),
         .role = INPUT_AFTER },
        {.name = STR_INIT("last"),
         .description = STR_INIT("So many rows from the end, or before `before`."),
         .role = INPUT_LAST  },
        {.name = STR_INIT("before"),
         .description = STR_INIT("Only rows before this cursor."),
         .role = INPUT_BEFORE},
    };
    struct input_value *args =
        ARENA_ARRAY(b->arena, made->nlist + COUNT_OF(paging), struct input_value);
    size_t i, n = 0;

    for (i = 0; i < made->nlist; i++)
        if (made->list[i].role == INPUT_WHERE || made->list[i].role == INPUT_ORDER_BY)
            args[n++] = made->list[i];
    for (i = 0; i < COUNT_OF(paging); i++) {
        bool number = paging[i].role == INPUT_FIRST || paging[i].role == INPUT_LAST;

        args[n] = paging[i];
        args[n++].type = type_ref_named(builder_scalar(b, number ? "Int" : "String"));
    }
    made->connecting = args;
    made->nconnecting = n;
}

static bool has_order(const struct relation *r)
{
    size_t i;

    for (i = 0; i < r->ncolumns; i++)
        if (column_sortable(&r->columns[i]))
            return true;
    return relation_visible_key(r) != NULL;
}

void connections_build(struct builder *b)
{
    const struct type *info = NULL;
    size_t i;

    for (i = 0; i < b->nrelations; i++) {
        struct built *made = &b->built[i];

        if (!has_order(&b->relations[i]))
            continue;
        if (info == NULL)
            info = page_info(b);
        made->connection = connection_type(b, &b->relations[i], info);
        set_arguments(b, made);
    }
}
