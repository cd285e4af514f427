/*
 * functions.c - the mutation root: which functions of the database are served, under which names.
 *
 * Thread:   one at a time.
 * Memory:   what is made is in the schema's arena.
 * Not here: which functions the role may call (sql/catalog.sql), calling them (planner/).
 *
 * A function that cannot be served as it is stands in schema->skipped with the
 * reason; nothing of it is in the schema.
 */
#include "schema/functions.h"
#include "schema/naming.h"

bool functions_plain_type(const struct builder *b, uint32_t oid)
{
    const struct doc_type *t = values_base_type(b, oid);

    if (t != NULL && t->element)
        t = values_base_type(b, t->element);
    return t != NULL && (memchr("berm", t->kind, 4) != NULL || t->nattributes > 0);
}

struct str functions_type_name(const struct builder *b, uint32_t oid)
{
    const struct doc_type *t = catalogdoc_type(&b->doc, oid);

    return t != NULL ? t->sql : STR("unknown");
}

/* Overloads stand side by side in the document: with defaults, a call could mean either. */
static bool is_overloaded(const struct builder *b, const struct doc_function *f)
{
    const struct doc_function *all = b->doc.functions;
    size_t i = (size_t)(f - all);

    return (i > 0 && str_eq(all[i - 1].schema, f->schema) && str_eq(all[i - 1].name, f->name)) ||
           (i + 1 < b->doc.nfunctions && str_eq(all[i + 1].schema, f->schema) &&
            str_eq(all[i + 1].name, f->name));
}

static struct str skip_reason(struct builder *b, const struct candidate *c)
{
    const struct doc_function *f = c->doc;
    struct str reason;

    if (is_overloaded(b, f))
        return STR("it is overloaded");
    if (f->volatility != 'v')
        return STR("only volatile functions are served, as mutations");
    if (c->name.len == 0)
        return STR("its name has no letter or digit");
    reason = parameters_reason(b, f);
    if (reason.len == 0)
        reason = outcomes_reason(b, f);
    return reason.len > 0 ? reason : results_reason(b, f);
}

/* Two that would be one mutation: neither is. */
static void skip_same_names(struct builder *b, struct candidate *all, size_t n)
{
    struct map names;
    size_t i;

    map_init(&names, b->scratch);
    for (i = 0; i < n; i++) {
        struct candidate *other;

        if (all[i].reason.len > 0 || map_add(&names, all[i].name, &all[i]))
            continue;
        other = map_get(&names, all[i].name);
        all[i].reason = arena_printf(b->scratch, "\"%.*s.%.*s\" would be the mutation \"%.*s\" too",
                                     STR_ARG(other->doc->schema), STR_ARG(other->doc->name),
                                     STR_ARG(all[i].name));
        other->reason = arena_printf(b->scratch, "\"%.*s.%.*s\" would be the mutation \"%.*s\" too",
                                     STR_ARG(all[i].doc->schema), STR_ARG(all[i].doc->name),
                                     STR_ARG(all[i].name));
    }
}

/* As its annotation says, or as it is called. */
static struct str function_name(struct builder *b, const struct doc_function *d)
{
    if (d->annotation != NULL && is_said(d->annotation->name))
        return arena_dup(b->arena, d->annotation->name.text);
    return naming_camel(naming_strip(d->name, b->opt->strip_prefixes, b->opt->nstrip_prefixes),
                        b->arena);
}

static struct candidate *find_candidates(struct builder *b)
{
    struct candidate *all = ARENA_ARRAY(b->scratch, b->doc.nfunctions, struct candidate);
    size_t i;

    for (i = 0; i < b->doc.nfunctions; i++) {
        struct candidate *c = &all[i];

        c->doc = &b->doc.functions[i];
        c->name = function_name(b, c->doc);
        c->reason = skip_reason(b, c);
    }
    skip_same_names(b, all, b->doc.nfunctions);
    return all;
}

static void describe_function(struct builder *b, const struct doc_function *d, struct field *out)
{
    const struct function_annotation *a = d->annotation;

    comment_read(d->comment, b->arena, &out->description, &out->deprecated);
    if (a != NULL && is_said(a->description))
        out->description = arena_dup(b->arena, a->description.text);
    if (a != NULL && is_said(a->deprecated))
        out->deprecated = arena_dup(b->arena, a->deprecated.text);
}

static void add_mutation(struct builder *b, const struct candidate *c, struct fields *root)
{
    struct function *f = ARENA_NEW(b->arena, struct function);
    struct field field = {.name = c->name, .resolver = RESOLVE_FUNCTION, .function = f};
    struct inputs inputs = {0};

    f->oid = c->doc->oid;
    f->schema = arena_dup(b->arena, c->doc->schema);
    f->name = arena_dup(b->arena, c->doc->name);
    describe_function(b, c->doc, &field);
    parameters_build(b, c->doc, f, &inputs);
    parameters_set_input(b, c, &inputs, &field);
    field.type = outcomes_is(b, c->doc) ? outcomes_build(b, c, f) : results_build(b, c->doc, f);
    field.relation = f->relation;
    VEC_PUSH(b->scratch, root, field);
}

static void note_skipped(struct builder *b, const struct candidate *all)
{
    struct skipped_function *skipped =
        ARENA_ARRAY(b->arena, b->doc.nfunctions, struct skipped_function);
    size_t i, n = 0;

    for (i = 0; i < b->doc.nfunctions; i++) {
        if (all[i].reason.len == 0)
            continue;
        skipped[n].name = arena_printf(b->arena, "%.*s.%.*s", STR_ARG(all[i].doc->schema),
                                       STR_ARG(all[i].doc->name));
        skipped[n++].reason = arena_dup(b->arena, all[i].reason);
    }
    b->schema->skipped = skipped;
    b->schema->nskipped = n;
}

void functions_build(struct builder *b)
{
    const struct candidate *all = find_candidates(b);
    struct fields root = {0};
    struct type *mutation;
    size_t i;

    note_skipped(b, all);
    for (i = 0; i < b->doc.nfunctions; i++)
        if (all[i].reason.len == 0)
            add_mutation(b, &all[i], &root);
    b->schema->nfunctions = root.n;
    crud_build(b, &root);
    if (root.n == 0)
        return;
    mutation = builder_add_type(b, TYPE_OBJECT, STR("Mutation"), STR("the mutation root"));
    mutation->description =
        b->opt->field_transactions
            ? STR("Changes. Those of one operation are made in order, each in a transaction of its "
                  "own.")
            : STR("Changes. Those of one operation are made in order and in one transaction: all "
                  "of them or none.");
    builder_set_fields(b, mutation, &root);
    b->schema->mutation = mutation;
}
