/*
 * catalog.c - the catalog document (JSON) to a schema: the steps in their order.
 *
 * Thread:   any; one at a time per call.
 * Memory:   the schema owns its arena; the document's tree is in a scratch one.
 * Not here: the steps (catalogdoc.c, lineage.c, relations.c, ...).
 */
#include "schema/catalog.h"
#include "schema/build.h"
#include "schema/sdlfile.h"

/* A document of tens of thousands of relations; it comes from our own statement. */
static const struct jval_limits document_limits = {.max_depth = 16, .max_values = 50000000};

struct schema_options schema_options_default(void)
{
    static const struct str prefixes[] = {STR_INIT("v_"), STR_INIT("tv_"), STR_INIT("tb_"),
                                          STR_INIT("mv_"), STR_INIT("fn_")};

    return (struct schema_options){.strip_prefixes = prefixes,
                                   .nstrip_prefixes = COUNT_OF(prefixes),
                                   .tenant_column = STR("tenant_id"),
                                   .default_limit = 100,
                                   .max_limit = 1000,
                                   .connections = true,
                                   .node = true};
}

static struct schema *new_schema(const struct schema_options *opt)
{
    static atomic_uint_least64_t versions;
    struct arena *a = arena_new(0);
    struct schema *s = ARENA_NEW(a, struct schema);

    s->arena = a;
    s->references = ARENA_NEW(a, atomic_size_t);
    atomic_init(s->references, 1);
    /* Relaxed: only has to be another one each time. */
    s->version = atomic_fetch_add_explicit(&versions, 1, memory_order_relaxed) + 1;
    s->tenant_setting = arena_dup(a, opt->tenant_setting);
    s->default_limit = opt->default_limit;
    s->max_limit = opt->max_limit;
    s->field_transactions = opt->field_transactions;
    s->null_safe_filters = opt->null_safe_filters;
    return s;
}

/* Introspection and the printer show types in this order, and by name within each. */
static int type_rank(const struct type *t)
{
    if (t->introspection)
        return 7;
    if (str_is(t->name, "Query"))
        return 0;
    if (str_is(t->name, "Mutation"))
        return 1;
    switch (t->kind) {
    case TYPE_OBJECT:
    case TYPE_INTERFACE:
    case TYPE_UNION:
        return 2;
    case TYPE_ENUM:
        return 3;
    case TYPE_INPUT_OBJECT:
        return t->relation ? 4 : 5;
    case TYPE_SCALAR:
        break;
    }
    return 6;
}

static int compare_types(const void *a, const void *b)
{
    const struct type *const *x = a, *const *y = b;
    int dx = type_rank(*x), dy = type_rank(*y);

    return dx != dy ? dx - dy : str_cmp((*x)->name, (*y)->name);
}

static void order_types(struct builder *b)
{
    const struct type **types = ARENA_ARRAY(b->arena, b->types.n, const struct type *);
    size_t i;

    qsort(b->types.items, b->types.n, sizeof(*b->types.items), compare_types);
    for (i = 0; i < b->types.n; i++) {
        b->types.items[i]->index = i;
        types[i] = b->types.items[i];
    }
    b->schema->types = types;
    b->schema->ntypes = b->types.n;
    names_init_pointers(&b->schema->types_by_name, types, b->types.n, b->arena);
}

static bool build(struct builder *b, struct str json)
{
    const struct jval *document;
    struct type *query;
    size_t before = b->errs->n + b->errs->dropped;

    if (!jval_parse(json, &document_limits, b->scratch, &document, b->errs) ||
        !catalogdoc_read(document, b->scratch, &b->doc, b->errs))
        return false;
    annotations_read(&b->doc, b->errs);
    lineage_resolve(&b->doc);
    sdl_apply(b);
    query = builder_add_type(b, TYPE_OBJECT, STR("Query"), STR("the query root"));
    b->schema->query = query;
    metatypes_build(b);
    relations_build(b);
    relationships_build(b);
    inputs_build(b);
    aggregates_build(b);
    groups_build(b);
    if (b->opt->connections)
        connections_build(b);
    if (b->opt->node)
        nodes_build(b);
    objects_build(b);
    functions_build(b);
    objects_finish(b);
    sdl_check(b);
    order_types(b);
    if (b->opt->tenancy)
        audit_run(b);
    /* What is wrong already would be told again, in worse words. */
    if (b->errs->n + b->errs->dropped == before)
        checks_run(b->schema, b->errs);
    return b->errs->n + b->errs->dropped == before;
}

struct schema *schema_from_catalog(struct str json, const struct schema_options *opt,
                                   struct errors *errs)
{
    struct schema *s = new_schema(opt);
    struct builder b = {.schema = s, .arena = s->arena, .opt = opt, .errs = errs};
    bool ok;

    CHECK(opt->default_limit >= 0 && opt->default_limit <= opt->max_limit);
    b.scratch = arena_new(0);
    b.scalars = ARENA_ARRAY(b.scratch, scalar_count(), struct type *);
    map_init(&b.types_by_name, b.scratch);
    ok = build(&b, json);
    arena_free(b.scratch);
    if (ok)
        return s;
    schema_unref(s);
    return NULL;
}
