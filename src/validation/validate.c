/*
 * validate.c - the driver of validation: walk the document, call the rules, choose the operation.
 *
 * Thread:   any.
 * Memory:   an operation's arena holds its text and tree; a validation's scratch is freed here.
 * Not here: the rules (rules_*.c), limits (limits.c).
 */
#include <stdatomic.h>

#include "language/source.h"
#include "validation/complexity.h"
#include "validation/nodeids.h"
#include "validation/rules.h"

#define DEFAULT_MAX_ERRORS 50
#define MAX_QUOTE          ((size_t)100) /* of a name from outside */

/* What operation_ref() counts, around the public part. */
struct counted_operation {
    struct operation public;
    atomic_uint references;
};

/*
 * The rules of section 5, by the place of the walk where they are called, and
 * within each in the order of the section.
 */
static void (*const operation_rules[])(struct validation *, const struct definition *) = {
    rule_operation_types,
    rule_unique_variables,
};

static void (*const variable_rules[])(struct validation *,
                                      const struct ast_variable_definition *) = {
    rule_variable_types,
};

static void (*const fragment_rules[])(struct validation *, const struct definition *) = {
    rule_fragment_types,
};

static void (*const field_rules[])(struct validation *, const struct selection_site *) = {
    rule_fields_exist,
    rule_leaf_selections,
};

/* Spreads and inline fragments. */
static void (*const fragment_use_rules[])(struct validation *, const struct selection_site *) = {
    rule_inline_fragment_types,
    rule_known_fragments,
    rule_possible_fragments,
};

/* Of fields and directives that are known. */
static void (*const argument_rules[])(struct validation *, const struct arguments_site *) = {
    rule_known_arguments,
    rule_unique_arguments,
    rule_required_arguments,
};

static void (*const value_rules[])(struct validation *, const struct value_site *) = {
    rule_values_fit,
    rule_unique_input_fields,
};

static void (*const directive_rules[])(struct validation *, const struct ast_directives *,
                                       unsigned location) = {
    rule_known_directives,
    rule_unique_directives,
};

/* After the walk. */
static void (*const document_rules[])(struct validation *) = {
    rule_unique_operation_names, rule_lone_anonymous_operation, rule_unique_fragment_names,
    rule_fragment_cycles,        rule_used_fragments,           rule_variable_usages,
};

/* After that, if no error was found: they rely on what the others make sure of. */
static void (*const legal_document_rules[])(struct validation *) = {
    rule_single_root_field,
    rule_overlapping_fields,
    rule_introspection_depth,
};

#define CALL_RULES(table, v, ...)                                        \
    do {                                                                 \
        for (size_t r_ = 0; r_ < COUNT_OF(table) && !(v)->stopped; r_++) \
            (table)[r_]((v), ##__VA_ARGS__);                             \
    } while (0)

/* --- the walk ----------------------------------------------------------------------- */

/* Where in the input types a value stands. */
struct place {
    struct type_ref type;
    bool has_default;
    bool checked;
    const struct type *one_of;
};

static void walk_value(struct validation *v, struct definition *d, const struct ast_value *value,
                       const struct place *at);

static void walk_list(struct validation *v, struct definition *d, const struct ast_value *value,
                      const struct place *at)
{
    struct place item = {.checked = at->checked};

    if (at->type.type && type_ref_is_list(at->type)) {
        item.type = type_ref_item(at->type);
    } else if (at->type.type) {
        item.type = type_ref_nullable(at->type);
        item.checked = true;
    }
    for (size_t i = 0; i < value->n && !v->stopped; i++)
        walk_value(v, d, value->items[i], &item);
}

static void walk_object(struct validation *v, struct definition *d, const struct ast_value *value,
                        const struct place *at)
{
    const struct type *type = at->type.type;
    bool known = type && type->kind == TYPE_INPUT_OBJECT && !at->checked;

    for (size_t i = 0; i < value->n && !v->stopped; i++) {
        struct place field = {.checked = at->checked || (type && !known)};
        const struct input_value *input = known ? schema_input(type, value->fields[i].name) : NULL;

        if (input) {
            field.type = input->type;
            field.has_default = input->default_value != NULL;
            field.one_of = type->one_of ? type : NULL;
        }
        walk_value(v, d, value->fields[i].value, &field);
    }
}

static void walk_value(struct validation *v, struct definition *d, const struct ast_value *value,
                       const struct place *at)
{
    struct value_site site = {value, at->type, at->checked};

    CALL_RULES(value_rules, v, &site);
    switch (value->kind) {
    case AST_VARIABLE:
        VEC_PUSH(v->arena, &d->usages,
                 (struct usage){value, at->type, at->has_default, at->one_of});
        break;
    case AST_LIST:
        walk_list(v, d, value, at);
        break;
    case AST_OBJECT:
        walk_object(v, d, value, at);
        break;
    case AST_INT:
    case AST_FLOAT:
    case AST_STRING:
    case AST_BOOLEAN:
    case AST_NULL:
    case AST_ENUM:
        break;
    }
}

static const struct input_value *find_argument(const struct arguments_site *s, struct str name)
{
    for (size_t i = 0; i < s->ndefined; i++) {
        if (str_eq(s->defined[i].name, name))
            return &s->defined[i];
    }
    return NULL;
}

/* known: whether the field or directive is; its arguments are judged only then. */
static void walk_arguments(struct validation *v, struct definition *d,
                           const struct arguments_site *s, bool known)
{
    if (s->given->n + s->ndefined == 0)
        return;
    if (known)
        CALL_RULES(argument_rules, v, s);
    else
        rule_unique_arguments(v, s);
    for (size_t i = 0; i < s->given->n && !v->stopped; i++) {
        const struct ast_argument *given = &s->given->items[i];
        const struct input_value *defined = find_argument(s, given->name);
        struct place at = {0};

        if (defined) {
            at.type = defined->type;
            at.has_default = defined->default_value != NULL;
        }
        walk_value(v, d, given->value, &at);
    }
}

static void walk_directives(struct validation *v, struct definition *d,
                            const struct ast_directives *directives, unsigned location)
{
    if (directives->n == 0)
        return;
    CALL_RULES(directive_rules, v, directives, location);
    for (size_t i = 0; i < directives->n && !v->stopped; i++) {
        const struct ast_directive *use = &directives->items[i];
        const struct directive *def = schema_directive(v->schema, use->name);
        struct arguments_site site = {.of = "directive",
                                      .sigil = "@",
                                      .name = use->name,
                                      .offset = use->offset,
                                      .given = &use->arguments,
                                      .defined = def ? def->arguments : NULL,
                                      .ndefined = def ? def->narguments : 0};

        walk_arguments(v, d, &site, def != NULL);
    }
}

static struct set *walk_selections(struct validation *v, struct definition *d,
                                   const struct ast_selection_set *ast, const struct type *parent);

/* Dense numbers, so that fields can be grouped without comparing names. */
static uint32_t key_number(struct validation *v, struct str key)
{
    uintptr_t number = (uintptr_t)map_get(&v->keys, key);

    if (number == 0) {
        number = v->keys.n + 1;
        map_put(&v->keys, key, (void *)number);
    }
    return (uint32_t)number - 1;
}

static void walk_field(struct validation *v, struct definition *d, struct node *node,
                       const struct type *parent)
{
    const struct ast_selection *s = node->selection;
    const struct type *type = NULL;
    struct selection_site site = {.node = node, .parent = parent};
    struct arguments_site arguments = {
        .of = "field", .sigil = "", .name = s->name, .offset = s->offset, .given = &s->arguments};

    node->key = key_number(v, ast_response_key(s));
    if (parent)
        node->field = schema_field(v->schema, parent, s->name);
    v->introspection |=
        node->field == &v->schema->schema_field || node->field == &v->schema->type_field;
    if (node->field) {
        arguments.defined = node->field->arguments;
        arguments.ndefined = node->field->narguments;
        if (type_is_composite(node->field->type.type))
            type = node->field->type.type;
    }
    CALL_RULES(field_rules, v, &site);
    walk_arguments(v, d, &arguments, node->field != NULL);
    walk_directives(v, d, &s->directives, ON_FIELD);
    if (s->selections.n)
        node->set = walk_selections(v, d, &s->selections, type);
}

static void walk_spread(struct validation *v, struct definition *d, struct node *node,
                        const struct type *parent)
{
    const struct ast_selection *s = node->selection;
    struct selection_site site = {.node = node, .parent = parent};

    node->fragment = validation_fragment(v, s->name);
    if (node->fragment) {
        site.condition = node->fragment->type;
        VEC_PUSH(v->arena, &d->spreads, node);
    }
    CALL_RULES(fragment_use_rules, v, &site);
    walk_directives(v, d, &s->directives, ON_FRAGMENT_SPREAD);
}

static void walk_inline_fragment(struct validation *v, struct definition *d, struct node *node,
                                 const struct type *parent)
{
    const struct ast_selection *s = node->selection;
    struct selection_site site = {.node = node, .parent = parent};
    const struct type *inner = parent;

    if (s->name.len) {
        site.condition = schema_type(v->schema, s->name);
        inner = site.condition && type_is_composite(site.condition) ? site.condition : NULL;
    }
    CALL_RULES(fragment_use_rules, v, &site);
    walk_directives(v, d, &s->directives, ON_INLINE_FRAGMENT);
    node->set = walk_selections(v, d, &s->selections, inner);
}

static struct set *walk_selections(struct validation *v, struct definition *d,
                                   const struct ast_selection_set *ast, const struct type *parent)
{
    struct set *set = ARENA_NEW(v->arena, struct set);

    set->parent = parent;
    set->id = v->nsets++;
    set->n = ast->n;
    set->nodes = ARENA_ARRAY(v->arena, ast->n, struct node);
    for (size_t i = 0; i < ast->n && !v->stopped; i++) {
        struct node *node = &set->nodes[i];

        node->selection = ast->items[i];
        switch (node->selection->kind) {
        case AST_FIELD:
            walk_field(v, d, node, parent);
            break;
        case AST_FRAGMENT_SPREAD:
            walk_spread(v, d, node, parent);
            break;
        case AST_INLINE_FRAGMENT:
            walk_inline_fragment(v, d, node, parent);
            break;
        }
    }
    return set;
}

static void walk_variables(struct validation *v, struct definition *d)
{
    for (size_t i = 0; i < d->operation->nvariables && !v->stopped; i++) {
        const struct ast_variable_definition *def = &d->operation->variables[i];
        const struct ast_type *unknown;
        struct place at = {0};

        CALL_RULES(variable_rules, v, def);
        if (def->default_value) {
            if (!validation_resolve_type(v->schema, def->type, &at.type, &unknown) ||
                !type_is_input(at.type.type))
                at.type = (struct type_ref){0};
            walk_value(v, d, def->default_value, &at);
        }
        walk_directives(v, d, &def->directives, ON_VARIABLE_DEFINITION);
    }
}

static unsigned operation_location(enum ast_operation_kind kind)
{
    switch (kind) {
    case AST_QUERY:
        return ON_QUERY;
    case AST_MUTATION:
        return ON_MUTATION;
    case AST_SUBSCRIPTION:
        return ON_SUBSCRIPTION;
    }
    return 0;
}

static void walk_definition(struct validation *v, struct definition *d)
{
    if (d->operation) {
        CALL_RULES(operation_rules, v, d);
        walk_variables(v, d);
        walk_directives(v, d, &d->operation->directives, operation_location(d->operation->kind));
        d->set = walk_selections(v, d, &d->operation->selections, d->type);
    } else {
        CALL_RULES(fragment_rules, v, d);
        walk_directives(v, d, &d->fragment->directives, ON_FRAGMENT_DEFINITION);
        d->set = walk_selections(v, d, &d->fragment->selections,
                                 d->type && type_is_composite(d->type) ? d->type : NULL);
    }
}

/* --- the document ------------------------------------------------------------------- */

static const struct type *root_type(const struct schema *s, enum ast_operation_kind kind)
{
    switch (kind) {
    case AST_QUERY:
        return s->query;
    case AST_MUTATION:
        return s->mutation;
    case AST_SUBSCRIPTION:
        return s->subscription;
    }
    return NULL;
}

/* Section 5.1.1: executable definitions only. The others are left out of what follows. */
static void index_definitions(struct validation *v)
{
    const struct ast_document *doc = v->document;

    v->definitions = ARENA_ARRAY(v->arena, doc->noperations + doc->nfragments, struct definition);
    for (size_t i = 0; i < doc->n; i++) {
        const struct ast_definition *ast = &doc->definitions[i];
        struct definition *d = &v->definitions[v->ndefinitions];

        switch (ast->kind) {
        case AST_OPERATION_DEFINITION:
            d->operation = ast->operation;
            d->type = root_type(v->schema, ast->operation->kind);
            v->ndefinitions++;
            break;
        case AST_FRAGMENT_DEFINITION:
            d->fragment = ast->fragment;
            d->type = schema_type(v->schema, ast->fragment->type_condition);
            map_add(&v->fragments, ast->fragment->name, d);
            v->ndefinitions++;
            break;
        case AST_TYPE_SYSTEM_DEFINITION:
            validation_error(v, ast->offset, "type system definitions are not executable");
            break;
        }
    }
}

static bool validate_document(const struct validate_input *in, const struct ast_document *doc,
                              struct errors *errs)
{
    static const struct validate_limits no_limits;
    struct validation v = {.schema = in->schema,
                           .document = doc,
                           .limits = in->limits ? in->limits : &no_limits,
                           .arena = arena_new(0),
                           .errs = errs,
                           .suggestions = in->suggestions};

    v.max_errors = v.limits->max_errors ? v.limits->max_errors : DEFAULT_MAX_ERRORS;
    map_init(&v.fragments, v.arena);
    map_init(&v.keys, v.arena);
    index_definitions(&v);
    if (!limits_check(&v)) {
        v.nerrors++;
    } else {
        for (size_t i = 0; i < v.ndefinitions; i++)
            walk_definition(&v, &v.definitions[i]);
        CALL_RULES(document_rules, &v);
        if (v.nerrors == 0)
            CALL_RULES(legal_document_rules, &v);
    }
    arena_free(v.arena);
    return v.nerrors == 0;
}

/* Specification section 6.1, GetOperation(). */
static bool choose_operation(struct operation *op, struct str name, struct errors *errs)
{
    const struct ast_document *doc = op->document;

    op->ast = ast_find_operation(doc, name);
    if (op->ast == NULL) {
        if (doc->noperations == 0)
            errors_add(errs, OPERATION_RESOLUTION_FAILURE, "the document has no operation");
        else if (name.len == 0)
            errors_add(errs, OPERATION_RESOLUTION_FAILURE,
                       "the document has several operations, \"operationName\" must choose one");
        else
            errors_add(errs, OPERATION_RESOLUTION_FAILURE, "unknown operation \"%.*s\"",
                       (int)size_min(name.len, MAX_QUOTE), name.data);
        return false;
    }
    op->kind = op->ast->kind;
    op->root = root_type(op->schema, op->kind);
    return true;
}

static void resolve_variables(struct operation *op)
{
    struct operation_variable *variables =
        ARENA_ARRAY(op->arena, op->ast->nvariables, struct operation_variable);

    for (size_t i = 0; i < op->ast->nvariables; i++) {
        const struct ast_variable_definition *def = &op->ast->variables[i];
        const struct ast_type *unknown;

        variables[i].name = def->name;
        variables[i].default_value = def->default_value;
        variables[i].at = source_location(op->document->source, def->offset);
        CHECK(validation_resolve_type(op->schema, def->type, &variables[i].type, &unknown));
    }
    op->variables = variables;
    op->nvariables = op->ast->nvariables;
    if (op->schema->node != NULL && op->nvariables > 0)
        nodeids_mark(op, variables);
}

/* --- public --------------------------------------------------------------------------- */

const struct operation *validate(const struct validate_input *in, struct errors *errs)
{
    static atomic_uint_fast64_t last_id;
    struct arena *arena = arena_new(0);
    struct counted_operation *counted = ARENA_NEW(arena, struct counted_operation);
    struct operation *op = &counted->public;
    size_t max_bytes = in->parse_limits->max_bytes;
    struct str text = in->text;

    /* A longer one is refused by the parser, before anything of it is read. */
    if (max_bytes == 0 || text.len <= max_bytes)
        text = arena_dup(arena, text);
    op->arena = arena;
    op->schema = schema_ref(in->schema);
    atomic_init(&counted->references, 1);
    if (!parser_parse_schema(text, in->parse_limits, arena, &op->document, errs) ||
        !validate_document(in, op->document, errs) ||
        !choose_operation(op, in->operation_name, errs)) {
        operation_unref(op);
        return NULL;
    }
    resolve_variables(op);
    complexity_measure(op, in->limits ? in->limits->list_rows : 0);
    if (op->cost == NULL && in->limits != NULL &&
        !complexity_check(op, NULL, in->limits->max_complexity, arena, errs)) {
        operation_unref(op);
        return NULL;
    }
    /* Relaxed: only uniqueness matters. */
    op->usage = ARENA_NEW(op->arena, struct operation_usage);
    op->label = ARENA_NEW(op->arena, uint64_t);
    op->id = atomic_fetch_add_explicit(&last_id, 1, memory_order_relaxed) + 1;
    return op;
}

static struct counted_operation *counted(const struct operation *op)
{
    /* The reference count is the one thing in an operation that changes. */
    return CONTAINER_OF((uintptr_t)op, struct counted_operation, public);
}

const struct operation *operation_ref(const struct operation *op)
{
    /* Relaxed: whoever takes a reference holds one already. */
    atomic_fetch_add_explicit(&counted(op)->references, 1, memory_order_relaxed);
    return op;
}

void operation_unref(const struct operation *op)
{
    if (op == NULL)
        return;
    /* Release what this thread read; the last one acquires what all did before it frees. */
    if (atomic_fetch_sub_explicit(&counted(op)->references, 1, memory_order_acq_rel) > 1)
        return;
    schema_unref(op->schema);
    arena_free(op->arena);
}

int operation_variable_find(const struct operation *op, struct str name)
{
    for (size_t i = 0; i < op->nvariables; i++) {
        if (str_eq(op->variables[i].name, name))
            return (int)i;
    }
    return -1;
}

size_t operation_size(const struct operation *op)
{
    return arena_used(op->arena);
}

/* Relaxed: they are counters. */
struct operation_usage operation_take_usage(const struct operation *op)
{
    struct operation_usage *u = op->usage;

    return (struct operation_usage){
        __atomic_exchange_n(&u->hits, 0, __ATOMIC_RELAXED),
        __atomic_exchange_n(&u->misses, 0, __ATOMIC_RELAXED),
        __atomic_exchange_n(&u->runs, 0, __ATOMIC_RELAXED),
        __atomic_exchange_n(&u->ns, 0, __ATOMIC_RELAXED),
        {
                                       __atomic_exchange_n(&u->cache.hits, 0, __ATOMIC_RELAXED),
                                       __atomic_exchange_n(&u->cache.stale, 0, __ATOMIC_RELAXED),
                                       __atomic_exchange_n(&u->cache.misses, 0, __ATOMIC_RELAXED),
                                       __atomic_exchange_n(&u->cache.bypasses, 0, __ATOMIC_RELAXED),
                                       __atomic_exchange_n(&u->cache.stores, 0, __ATOMIC_RELAXED),
                                       __atomic_exchange_n(&u->cache.bytes, 0, __ATOMIC_RELAXED),
                                       __atomic_exchange_n(&u->cache.hit_ns, 0, __ATOMIC_RELAXED),
                                       __atomic_exchange_n(&u->cache.miss_ns, 0, __ATOMIC_RELAXED),
                                       __atomic_load_n(&u->cache.ttl_s, __ATOMIC_RELAXED),
                                       },
    };
}

static void add_to(uint64_t *counter, uint64_t n)
{
    if (n > 0)
        __atomic_fetch_add(counter, n, __ATOMIC_RELAXED);
}

void operation_add_usage(const struct operation *op, const struct operation_usage *u)
{
    add_to(&op->usage->hits, u->hits);
    add_to(&op->usage->misses, u->misses);
    add_to(&op->usage->runs, u->runs);
    add_to(&op->usage->ns, u->ns);
    operation_add_cache_usage(op, &u->cache);
}

void operation_add_cache_usage(const struct operation *op, const struct cache_usage *u)
{
    struct cache_usage *to = &op->usage->cache;

    add_to(&to->hits, u->hits);
    add_to(&to->stale, u->stale);
    add_to(&to->misses, u->misses);
    add_to(&to->bypasses, u->bypasses);
    add_to(&to->stores, u->stores);
    add_to(&to->bytes, u->bytes);
    add_to(&to->hit_ns, u->hit_ns);
    add_to(&to->miss_ns, u->miss_ns);
    if (u->ttl_s > 0)
        __atomic_store_n(&to->ttl_s, u->ttl_s, __ATOMIC_RELAXED);
}
