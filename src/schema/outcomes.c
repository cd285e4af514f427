/*
 * outcomes.c - functions that say whether they succeeded: FraiseQL's composites, and their unions.
 *
 * Thread:   one at a time.
 * Memory:   what is made is in the schema's arena.
 * Not here: which status is a success (statuses.c), reading such a result (planner/plan_outcome.c).
 *
 * A composite is one of the three when its columns are, by name and type, whatever
 * its own name and their order.
 */
#include "schema/functions.h"
#include "schema/naming.h"

struct form_column {
    const char *name;
    const char *type; /* of pg_catalog; NULL: the enum mutation_error_class */
};

static const struct form_column result_columns[] = {
    {"id",             "uuid" },
    {"updated_fields", "_text"},
    {"status",         "text" },
    {"message",        "text" },
    {"object_data",    "jsonb"},
    {"extra_metadata", "jsonb"},
};

static const struct form_column response_columns[] = {
    {"status",         "text" },
    {"message",        "text" },
    {"entity_id",      "text" },
    {"entity_type",    "text" },
    {"entity",         "jsonb"},
    {"updated_fields", "_text"},
    {"cascade",        "jsonb"},
    {"metadata",       "jsonb"},
};

static const struct form_column app_response_columns[] = {
    {"succeeded",      "bool" },
    {"state_changed",  "bool" },
    {"error_class",    NULL   },
    {"status_detail",  "text" },
    {"http_status",    "int2" },
    {"message",        "text" },
    {"entity_id",      "uuid" },
    {"entity_type",    "text" },
    {"entity",         "jsonb"},
    {"updated_fields", "_text"},
    {"cascade",        "jsonb"},
    {"error_detail",   "jsonb"},
    {"metadata",       "jsonb"},
};

static const struct form {
    const struct form_column *columns;
    size_t n;
} forms[] = {
    [OUTCOME_RESULT] = {result_columns,       COUNT_OF(result_columns)      },
    [OUTCOME_RESPONSE] = {response_columns,     COUNT_OF(response_columns)    },
    [OUTCOME_APP_RESPONSE] = {app_response_columns, COUNT_OF(app_response_columns)},
};

/* --- which it is -------------------------------------------------------------------------------
 */

static const struct doc_column *find_attribute(const struct doc_type *t, const char *name)
{
    size_t i;

    for (i = 0; i < t->nattributes; i++)
        if (str_is(t->attributes[i].name, name))
            return &t->attributes[i];
    return NULL;
}

static bool has_type(const struct builder *b, const struct doc_column *a, const char *type)
{
    const struct doc_type *t = catalogdoc_type(&b->doc, a->type);

    if (t == NULL)
        return false;
    if (type == NULL)
        return t->kind == 'e' && str_is(t->name, "mutation_error_class");
    return str_is(t->schema, "pg_catalog") && str_is(t->name, type);
}

static bool is_form(const struct builder *b, const struct doc_type *t, const struct form *f)
{
    size_t i;

    if (t->nattributes != f->n)
        return false;
    for (i = 0; i < f->n; i++) {
        const struct doc_column *a = find_attribute(t, f->columns[i].name);

        if (a == NULL || !has_type(b, a, f->columns[i].type))
            return false;
    }
    return true;
}

static bool find_form(const struct builder *b, const struct doc_type *t, enum outcome_form *form)
{
    size_t i;

    for (i = 0; i < COUNT_OF(forms); i++)
        if (is_form(b, t, &forms[i])) {
            *form = (enum outcome_form)i;
            return true;
        }
    return false;
}

bool outcomes_is(const struct builder *b, const struct doc_function *d)
{
    const struct doc_type *t = catalogdoc_type(&b->doc, d->returns);
    enum outcome_form form;

    return t != NULL && find_form(b, t, &form);
}

static size_t count_common(const struct builder *b, const struct doc_type *t, const struct form *f)
{
    size_t n = 0, i;

    for (i = 0; i < f->n; i++) {
        const struct doc_column *a = find_attribute(t, f->columns[i].name);

        n += a != NULL && has_type(b, a, f->columns[i].type);
    }
    return n;
}

/* Which of them a composite is meant to be: two have one name. */
static const struct form *closest_form(const struct builder *b, const struct doc_type *t)
{
    if (str_is(t->name, "mutation_result"))
        return &forms[OUTCOME_RESULT];
    return count_common(b, t, &forms[OUTCOME_APP_RESPONSE]) >
                   count_common(b, t, &forms[OUTCOME_RESPONSE])
               ? &forms[OUTCOME_APP_RESPONSE]
               : &forms[OUTCOME_RESPONSE];
}

/* What of a composite named as one of them is not as it should be. */
static struct str difference(const struct builder *b, const struct doc_type *t)
{
    const struct form *f = closest_form(b, t);
    size_t i;

    for (i = 0; i < f->n; i++) {
        const struct doc_column *a = find_attribute(t, f->columns[i].name);
        const char *type = f->columns[i].type;

        if (a == NULL)
            return arena_printf(b->scratch, "has no column \"%s\"", f->columns[i].name);
        if (!has_type(b, a, type))
            return arena_printf(b->scratch, "has a column \"%s\" of type %.*s, not %s",
                                f->columns[i].name, STR_ARG(functions_type_name(b, a->type)),
                                type == NULL                 ? "mutation_error_class"
                                : strcmp(type, "_text") == 0 ? "text[]"
                                                             : type);
    }
    return arena_printf(b->scratch, "has %zu columns, not %zu", t->nattributes, f->n);
}

struct str outcomes_reason(struct builder *b, const struct doc_function *d)
{
    const struct doc_type *t = catalogdoc_type(&b->doc, d->returns);

    if (t == NULL || t->nattributes == 0)
        return STR("");
    if (outcomes_is(b, d))
        return d->set ? STR("it returns a set of outcomes") : STR("");
    if (!str_is(t->name, "mutation_result") && !str_is(t->name, "mutation_result_v2") &&
        !str_is(t->name, "mutation_response"))
        return STR("");
    return arena_printf(b->scratch, "its result %.*s %.*s: it is none of FraiseQL's composites",
                        STR_ARG(t->sql), STR_ARG(difference(b, t)));
}

/* --- its entity --------------------------------------------------------------------------------
 */

static const struct relation *find_relation(const struct builder *b, struct str type_name)
{
    size_t i;

    for (i = 0; i < b->nrelations; i++)
        if (str_eq(b->relations[i].type_name, type_name))
            return &b->relations[i];
    return NULL;
}

static bool ends_in(struct str s, const char *suffix)
{
    size_t n = strlen(suffix);

    return s.len > n && str_is(str_sub(s, s.len - n, n), suffix);
}

/* create_task: the Task, where there is one. */
static const struct relation *relation_of_name(struct builder *b, const struct doc_function *d)
{
    struct str name = naming_strip(d->name, b->opt->strip_prefixes, b->opt->nstrip_prefixes);
    struct str verb, rest;

    if (!str_cut(name, '_', &verb, &rest))
        return NULL;
    return find_relation(b, naming_pascal(rest, b->scratch));
}

static bool names_entity(const struct doc_function *d)
{
    const struct function_annotation *a = d->annotation;

    return a != NULL && is_said(a->success_type) && !ends_in(a->success_type.text, "Success");
}

static const struct relation *entity_relation(struct builder *b, const struct doc_function *d)
{
    const struct function_annotation *a = d->annotation;
    const struct relation *r;

    if (!names_entity(d))
        return relation_of_name(b, d);
    r = find_relation(b, a->success_type.text);
    if (r == NULL && !b->opt->partial)
        place_error(a->success_type.at, b->errs,
                    "no exposed relation has the type \"%.*s\" that is the success of function "
                    "\"%.*s.%.*s\"",
                    STR_ARG(a->success_type.text), STR_ARG(d->schema), STR_ARG(d->name));
    return r;
}

/* By which an entity's "id" finds it: a key of that one column, else the relation's. */
static const struct key *entity_key(const struct relation *r)
{
    const struct key *k = relation_key(r);
    size_t i;

    for (i = 0; i < r->nkeys; i++)
        if (r->keys[i].identifies && r->keys[i].n == 1 && str_is(r->keys[i].columns[0]->name, "id"))
            return &r->keys[i];
    for (i = 0; k != NULL && i < k->n; i++)
        if (k->columns[i]->is_array)
            return NULL;
    return k;
}

/* --- its types ---------------------------------------------------------------------------------
 */

static void add_field(struct builder *b, struct fields *fields, struct str name,
                      enum outcome_field of, struct type_ref type, const char *description)
{
    struct field f = {.name = name, .resolver = RESOLVE_OUTCOME, .outcome = of, .type = type};

    f.description = str_of(description);
    VEC_PUSH(b->scratch, fields, f);
}

static struct type_ref scalar(struct builder *b, const char *name)
{
    return type_ref_named(builder_scalar(b, name));
}

static struct type_ref required(struct builder *b, const char *name)
{
    return type_ref_required(builder_scalar(b, name));
}

static const struct type *error_item_type(struct builder *b)
{
    struct type *t = builder_find_type(b, STR("MutationError"));
    struct fields fields = {0};

    if (t != NULL && t->nfields > 0 && t->fields[0].resolver == RESOLVE_OUTCOME &&
        t->fields[0].outcome == OUTCOME_ERROR_CODE)
        return t;
    t = builder_add_type(b, TYPE_OBJECT, STR("MutationError"), STR("errors of mutations"));
    t->description = STR("One of the reasons why a mutation did not succeed.");
    add_field(b, &fields, STR("code"), OUTCOME_ERROR_CODE, required(b, "Int"),
              "As statuses of HTTP: 422, 404, 409 …");
    add_field(b, &fields, STR("identifier"), OUTCOME_ERROR_IDENTIFIER, required(b, "String"),
              "A word for programs.");
    add_field(b, &fields, STR("message"), OUTCOME_ERROR_MESSAGE, scalar(b, "String"),
              "A sentence for people.");
    add_field(b, &fields, STR("details"), OUTCOME_ERROR_DETAILS, scalar(b, "JSON"),
              "What else the function says of it.");
    builder_set_fields(b, t, &fields);
    return t;
}

static void add_common(struct builder *b, struct fields *fields)
{
    add_field(b, fields, STR("message"), OUTCOME_MESSAGE, scalar(b, "String"),
              "A sentence for people.");
    add_field(b, fields, STR("status"), OUTCOME_STATUS, required(b, "String"),
              "The function's own word for it.");
}

/* Functions may share one. */
static const struct type *error_type(struct builder *b, const struct candidate *c,
                                     struct str origin)
{
    const struct function_annotation *a = c->doc->annotation;
    bool named = a != NULL && is_said(a->error_type);
    struct str name = named ? arena_dup(b->arena, a->error_type.text)
                            : arena_printf(b->arena, "%.*sError",
                                           STR_ARG(naming_upper_first(c->name, b->scratch)));
    struct type *t = named ? builder_find_type(b, name) : NULL;
    struct fields fields = {0};

    if (t != NULL && t->nfields > 2 && t->fields[2].resolver == RESOLVE_OUTCOME &&
        t->fields[2].outcome == OUTCOME_CODE)
        return t;
    t = builder_add_type(b, TYPE_OBJECT, name, origin);
    t->description = STR("It did not succeed, and nothing was changed.");
    add_common(b, &fields);
    add_field(b, &fields, STR("code"), OUTCOME_CODE, required(b, "Int"),
              "As statuses of HTTP: 422, 404, 409 …");
    add_field(b, &fields, STR("errors"), OUTCOME_ERRORS, type_ref_required_list(error_item_type(b)),
              "Each of the reasons.");
    builder_set_fields(b, t, &fields);
    return t;
}

/* "task", unless the object has a field of that name already. */
static struct str entity_name(struct builder *b, const struct relation *r,
                              const struct fields *others)
{
    struct str name = r != NULL ? naming_lower_first(r->type_name, b->arena) : STR("entity");
    size_t i;

    for (i = 0; i < others->n; i++)
        if (str_eq(others->items[i].name, name))
            return STR("entity");
    return name;
}

static const struct type *success_type(struct builder *b, const struct candidate *c,
                                       struct str origin, const struct function_outcome *o)
{
    const struct function_annotation *a = c->doc->annotation;
    bool named = a != NULL && is_said(a->success_type) && ends_in(a->success_type.text, "Success");
    struct str name = named ? arena_dup(b->arena, a->success_type.text)
                            : arena_printf(b->arena, "%.*sSuccess",
                                           STR_ARG(naming_upper_first(c->name, b->scratch)));
    struct type *t = builder_add_type(b, TYPE_OBJECT, name, origin);
    struct fields fields = {0};
    struct field entity = {.resolver = RESOLVE_OUTCOME, .outcome = OUTCOME_ENTITY};

    t->description = STR("It succeeded.");
    add_common(b, &fields);
    add_field(b, &fields, STR("entityId"), OUTCOME_ENTITY_ID, scalar(b, "ID"),
              "Of what was changed.");
    add_field(b, &fields, STR("updatedFields"), OUTCOME_UPDATED_FIELDS,
              type_ref_list(builder_scalar(b, "String")), "Names of what was changed of it.");
    if (o->form != OUTCOME_RESULT)
        add_field(b, &fields, STR("cascade"), OUTCOME_CASCADE, scalar(b, "JSON"),
                  "What else was changed.");
    entity.name = entity_name(b, o->entity, &fields);
    entity.description = STR("What was changed, as it is now.");
    entity.relation = o->entity;
    entity.type = o->entity != NULL ? type_ref_named(o->entity->type) : scalar(b, "JSON");
    /* A relation that the role may not read is no reason to show it the document. */
    if (o->entity != NULL || !names_entity(c->doc))
        VEC_PUSH(b->scratch, &fields, entity);
    builder_set_fields(b, t, &fields);
    return t;
}

struct type_ref outcomes_build(struct builder *b, const struct candidate *c, struct function *f)
{
    const struct doc_function *d = c->doc;
    struct function_outcome *o = ARENA_NEW(b->arena, struct function_outcome);
    const struct type **possible = ARENA_ARRAY(b->arena, 2, const struct type *);
    struct str origin = arena_printf(b->scratch, "the result of function \"%.*s.%.*s\"",
                                     STR_ARG(d->schema), STR_ARG(d->name));
    struct type *result = builder_add_type(
        b, TYPE_UNION,
        arena_printf(b->arena, "%.*sResult", STR_ARG(naming_upper_first(c->name, b->scratch))),
        origin);

    CHECK(find_form(b, catalogdoc_type(&b->doc, d->returns), &o->form));
    f->result = FUNCTION_OUTCOME;
    f->outcome = o;
    o->entity = entity_relation(b, d);
    o->key = o->entity != NULL ? entity_key(o->entity) : NULL;
    o->own_rights = d->definer;
    o->success = possible[0] = success_type(b, c, origin, o);
    o->error = possible[1] = error_type(b, c, origin);
    result->description = arena_printf(b->arena, "What becomes of %.*s.", STR_ARG(c->name));
    result->possible = possible;
    result->npossible = 2;
    return type_ref_named(result);
}
