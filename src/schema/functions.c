/*
 * functions.c - which functions of the database are served: where, and under which names.
 *
 * Thread:   one at a time.
 * Memory:   what is made is in the schema's arena.
 * Not here: which functions the role may call (sql/catalog.sql), calling them (planner/).
 *
 * A function that cannot be served as it is stands in schema->skipped with the
 * reason; nothing of it is in the schema.
 */
#include "schema/functions.h"

#include "schema/authrule.h"
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

const struct relation *functions_row_type(const struct builder *b, uint32_t oid)
{
    const struct doc_type *t = catalogdoc_type(&b->doc, oid);
    const struct doc_relation *r = NULL;

    if (t != NULL && t->relation != 0)
        r = catalogdoc_relation(&b->doc, t->relation);
    return r != NULL ? r->made : NULL;
}

/* --- where, and under which name -------------------------------------------------------------- */

static void find_place(const struct builder *b, struct candidate *c)
{
    const struct doc_function *d = c->doc;
    size_t first = 0;

    c->place = d->volatility == 'v' ? PLACE_MUTATION : PLACE_QUERY;
    if (d->annotation != NULL && d->annotation->use == USE_AS_MUTATION)
        c->place = PLACE_MUTATION;
    else if (d->annotation != NULL && d->annotation->use == USE_AS_QUERY && d->volatility == 'v')
        place_error(
            d->annotation->at, b->errs,
            "function \"%.*s.%.*s\" is volatile: it may change something, and is a mutation",
            STR_ARG(d->schema), STR_ARG(d->name))
            ->hint = STR("declare it stable if it does not");
    while (first < d->narguments && !parameters_is_input(&d->arguments[first]))
        first++;
    if (c->place == PLACE_QUERY && first < d->narguments)
        c->of = functions_row_type(b, d->arguments[first].type);
    if (c->of != NULL)
        c->place = PLACE_ROW;
}

/* fn_user_full_name(v_user), users_full_name(users) -> full_name */
static struct str strip_relation(struct builder *b, struct str name, const struct relation *r)
{
    struct str stem = naming_strip(r->name, b->opt->strip_prefixes, b->opt->nstrip_prefixes);
    const struct str stems[] = {r->name, stem, naming_singular(stem, b->scratch)};
    struct str prefixes[COUNT_OF(stems)];

    for (size_t i = 0; i < COUNT_OF(stems); i++)
        prefixes[i] = arena_printf(b->scratch, "%.*s_", STR_ARG(stems[i]));
    return naming_strip(name, prefixes, COUNT_OF(prefixes));
}

/* As its annotation says, or as it is called. */
static void find_name(struct builder *b, struct candidate *c)
{
    struct str name = naming_strip(c->doc->name, b->opt->strip_prefixes, b->opt->nstrip_prefixes);

    if (c->doc->annotation != NULL && is_said(c->doc->annotation->name)) {
        c->name = arena_dup(b->arena, c->doc->annotation->name.text);
        return;
    }
    if (c->place == PLACE_ROW)
        name = strip_relation(b, name, c->of);
    c->name = naming_camel(name, b->arena);
}

/* The type that the field is of, as messages say it. */
static struct str place_name(const struct candidate *c)
{
    switch (c->place) {
    case PLACE_MUTATION:
        return STR("Mutation");
    case PLACE_QUERY:
        return STR("Query");
    case PLACE_ROW:
        break;
    }
    return c->of->type_name;
}

/* --- what can be served ----------------------------------------------------------------------- */

/*
 * With all arguments given, each of the type it is declared with, a call means
 * this function whatever others there are; with defaults or a list of arguments
 * it might not. Overloads stand side by side in the document.
 */
static bool is_overloaded(const struct builder *b, const struct doc_function *d)
{
    const struct doc_function *all = b->doc.functions;
    size_t i = (size_t)(d - all);

    if (!d->overloaded)
        return false;
    for (size_t j = 0; j < d->narguments; j++)
        if (d->arguments[j].mode == 'v')
            return true;
    return d->ndefaults > 0 ||
           (i > 0 && all[i - 1].overloaded && str_eq(all[i - 1].schema, d->schema) &&
            str_eq(all[i - 1].name, d->name)) ||
           (i + 1 < b->doc.nfunctions && all[i + 1].overloaded &&
            str_eq(all[i + 1].schema, d->schema) && str_eq(all[i + 1].name, d->name));
}

/* A row as a whole takes the privilege to read all of it. */
static bool reads_whole_rows(const struct builder *b, const struct relation *r)
{
    const struct doc_relation *d = b->sources[builder_index(b, r)];

    for (size_t i = 0; i < d->ncolumns; i++)
        if (!d->columns[i].select)
            return false;
    return true;
}

static bool has_field(const struct fields *fields, struct str name)
{
    for (size_t i = 0; i < fields->n; i++)
        if (str_eq(fields->items[i].name, name))
            return true;
    return false;
}

static bool is_taken(const struct builder *b, const struct candidate *c)
{
    switch (c->place) {
    case PLACE_MUTATION:
        return false;
    case PLACE_QUERY:
        return has_field(&b->query, c->name);
    case PLACE_ROW:
        break;
    }
    return has_field(&b->built[builder_index(b, c->of)].fields, c->name);
}

/* An argument of the field that is the function's own, and one that chooses of its result. */
static struct str clash_reason(struct builder *b, const struct candidate *c)
{
    const struct doc_function *d = c->doc;
    size_t n;
    const struct input_value *chosen = results_arguments(b, c, &n);

    for (size_t i = 0; c->place == PLACE_ROW && i < d->narguments; i++)
        for (size_t j = 0; parameters_is_input(&d->arguments[i]) && j < n; j++)
            if (str_eq(naming_camel(d->arguments[i].name, b->scratch), chosen[j].name))
                return arena_printf(b->scratch, "argument \"%.*s\" is what the field has already",
                                    STR_ARG(d->arguments[i].name));
    return STR("");
}

static struct str skip_reason(struct builder *b, const struct candidate *c)
{
    struct str reason;

    if (c->doc->procedure)
        return STR("it is a procedure");
    if (is_overloaded(b, c->doc))
        return STR("it is overloaded");
    if (c->name.len == 0)
        return STR("its name has no letter or digit");
    if (c->place == PLACE_ROW && !reads_whole_rows(b, c->of))
        return arena_printf(b->scratch, "the role may not read all columns of \"%.*s.%.*s\"",
                            STR_ARG(c->of->schema), STR_ARG(c->of->name));
    reason = parameters_reason(b, c);
    if (reason.len == 0 && c->place == PLACE_MUTATION)
        reason = outcomes_reason(b, c->doc);
    if (reason.len == 0)
        reason = results_reason(b, c);
    if (reason.len == 0)
        reason = clash_reason(b, c);
    if (reason.len == 0 && is_taken(b, c))
        reason = arena_printf(b->scratch, "type \"%.*s\" has a field \"%.*s\" already",
                              STR_ARG(place_name(c)), STR_ARG(c->name));
    return reason;
}

/* Two that would be one field: neither is. */
static void skip_same_names(struct builder *b, struct candidate *all, size_t n)
{
    struct map names;

    map_init(&names, b->scratch);
    for (size_t i = 0; i < n; i++) {
        struct candidate *c = &all[i], *other;
        struct str field =
            arena_printf(b->scratch, "%.*s.%.*s", STR_ARG(place_name(c)), STR_ARG(c->name));

        if (c->reason.len > 0 || map_add(&names, field, c))
            continue;
        other = map_get(&names, field);
        c->reason =
            arena_printf(b->scratch, "\"%.*s.%.*s\" would be \"%.*s\" too",
                         STR_ARG(other->doc->schema), STR_ARG(other->doc->name), STR_ARG(field));
        other->reason =
            arena_printf(b->scratch, "\"%.*s.%.*s\" would be \"%.*s\" too", STR_ARG(c->doc->schema),
                         STR_ARG(c->doc->name), STR_ARG(field));
    }
}

static struct candidate *find_candidates(struct builder *b)
{
    struct candidate *all = ARENA_ARRAY(b->scratch, b->doc.nfunctions, struct candidate);

    for (size_t i = 0; i < b->doc.nfunctions; i++) {
        struct candidate *c = &all[i];

        c->doc = &b->doc.functions[i];
        find_place(b, c);
        find_name(b, c);
        c->reason = skip_reason(b, c);
    }
    skip_same_names(b, all, b->doc.nfunctions);
    return all;
}

/* --- what is made of it ----------------------------------------------------------------------- */

/* Functions of one name stand side by side in the document. */
static bool shares_name(const struct builder *b, const struct doc_function *d)
{
    const struct doc_function *all = b->doc.functions, *end = all + b->doc.nfunctions;

    return (d > all && str_eq(d[-1].schema, d->schema) && str_eq(d[-1].name, d->name)) ||
           (d + 1 < end && str_eq(d[1].schema, d->schema) && str_eq(d[1].name, d->name));
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

static void set_arguments(struct builder *b, const struct candidate *c, const struct inputs *own,
                          struct field *field)
{
    size_t n;
    const struct input_value *chosen = results_arguments(b, c, &n);
    struct input_value *all;

    field->arguments = chosen; /* shared by all that have no others */
    field->narguments = n;
    if (own->n == 0)
        return;
    field->narguments = own->n + n;
    field->arguments = all = ARENA_ARRAY(b->arena, field->narguments, struct input_value);
    memcpy(all, own->items, own->n * sizeof(*all));
    if (n > 0)
        memcpy(all + own->n, chosen, n * sizeof(*all));
}

static void set_ends(struct builder *b, const struct said_list *names, struct function *f)
{
    const struct relation **ends =
        ARENA_ARRAY(b->arena, size_max(names->n, 1), const struct relation *);

    for (size_t i = 0; i < names->n; i++) {
        const struct doc_relation *d = declared_relation(b, &names->items[i]);

        if (d != NULL)
            ends[f->nends++] = d->made;
    }
    f->ends = ends;
}

static void add_field(struct builder *b, const struct candidate *c, struct fields *to)
{
    struct function *f = ARENA_NEW(b->arena, struct function);
    struct field field = {.name = c->name, .resolver = RESOLVE_FUNCTION, .function = f};
    struct inputs arguments = {0};

    c->doc->served = true;
    f->oid = c->doc->oid;
    f->shares_name = shares_name(b, c->doc);
    f->schema = arena_dup(b->arena, c->doc->schema);
    f->name = arena_dup(b->arena, c->doc->name);
    f->definer = c->doc->definer;
    if (c->doc->annotation != NULL)
        f->auth = authrule_make(b, &c->doc->annotation->auth);
    if (c->doc->annotation != NULL)
        set_ends(b, &c->doc->annotation->invalidates, f);
    describe_function(b, c->doc, &field);
    parameters_build(b, c, f, &arguments);
    set_arguments(b, c, &arguments, &field);
    field.type = c->place == PLACE_MUTATION && outcomes_is(b, c->doc) ? outcomes_build(b, c, f)
                                                                      : results_build(b, c, f);
    field.relation = f->relation;
    VEC_PUSH(b->scratch, to, field);
    b->schema->nfunctions++;
}

static void note_skipped(struct builder *b, const struct candidate *all)
{
    struct skipped_function *skipped =
        ARENA_ARRAY(b->arena, b->doc.nfunctions, struct skipped_function);
    size_t n = 0;

    for (size_t i = 0; i < b->doc.nfunctions; i++) {
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
    struct fields mutations = {0};
    struct type *mutation;

    note_skipped(b, all);
    for (size_t i = 0; i < b->doc.nfunctions; i++) {
        const struct candidate *c = &all[i];

        if (c->reason.len > 0)
            continue;
        switch (c->place) {
        case PLACE_MUTATION:
            add_field(b, c, &mutations);
            break;
        case PLACE_QUERY:
            add_field(b, c, &b->query);
            break;
        case PLACE_ROW:
            add_field(b, c, &b->built[builder_index(b, c->of)].fields);
            break;
        }
    }
    crud_build(b, &mutations);
    if (mutations.n == 0)
        return;
    mutation = builder_add_type(b, TYPE_OBJECT, STR("Mutation"), STR("the mutation root"));
    mutation->description =
        b->opt->field_transactions
            ? STR("Changes. Those of one operation are made in order, each in a transaction of its "
                  "own.")
            : STR("Changes. Those of one operation are made in order and in one transaction: all "
                  "of them or none.");
    builder_set_fields(b, mutation, &mutations);
    b->schema->mutation = mutation;
}
