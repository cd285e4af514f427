/*
 * checks.c - is this a legal schema? (specification section 3, "Type Validation")
 *
 * Thread:   any.
 * Not here: names that two relations would have (build.c, relations.c), which are told at their
 *           source with what to do about them.
 */
#include "schema/build.h"
#include "schema/naming.h"

struct checker {
    const struct schema *schema;
    struct errors *errs;
};

static void check_name(struct checker *c, struct str name, const char *what, struct str of)
{
    if (!naming_is_legal(name))
        errors_add(c->errs, SCHEMA_INVALID, "\"%.*s\" cannot be the name of a %s of \"%.*s\"",
                   STR_ARG(name), what, STR_ARG(of));
}

static void check_type_ref(struct checker *c, struct type_ref r, bool input, struct str name,
                           struct str of)
{
    const struct type *t = r.type;
    bool usable = t != NULL && (input ? type_is_input(t) : t->kind != TYPE_INPUT_OBJECT);

    if (!usable || r.nlists > TYPE_REF_MAX_LISTS || schema_type(c->schema, t->name) != t)
        errors_add(c->errs, SCHEMA_INVALID, "\"%.*s\" of \"%.*s\" has no %s type", STR_ARG(name),
                   STR_ARG(of), input ? "input" : "output");
}

static void check_input(struct checker *c, const struct input_value *v, struct str of)
{
    check_name(c, v->name, "input", of);
    check_type_ref(c, v->type, true, v->name, of);
    if (v->deprecated.data != NULL && type_ref_non_null(v->type) && v->default_value == NULL)
        errors_add(c->errs, SCHEMA_INVALID, "\"%.*s\" of \"%.*s\" is required, but deprecated",
                   STR_ARG(v->name), STR_ARG(of));
}

static void check_field(struct checker *c, const struct field *f, const struct type *t)
{
    size_t i, j;

    check_name(c, f->name, "field", t->name);
    check_type_ref(c, f->type, false, f->name, t->name);
    for (i = 0; i < f->narguments; i++) {
        check_input(c, &f->arguments[i], f->name);
        for (j = 0; j < i; j++)
            if (str_eq(f->arguments[i].name, f->arguments[j].name))
                errors_add(c->errs, SCHEMA_INVALID,
                           "field \"%.*s\" of \"%.*s\" has two arguments \"%.*s\"",
                           STR_ARG(f->name), STR_ARG(t->name), STR_ARG(f->arguments[i].name));
    }
}

/* Fields that every type implementing an interface has to have, with a type as good (section 3.6).
 */
static void check_interfaces(struct checker *c, const struct type *t)
{
    size_t i, j;

    for (i = 0; i < t->ninterfaces; i++)
        for (j = 0; j < t->interfaces[i]->nfields; j++) {
            const struct field *want = &t->interfaces[i]->fields[j];
            const struct field *have = names_get(&t->members, want->name);

            if (have == NULL || !(type_ref_eq(have->type, want->type) ||
                                  type_ref_eq(type_ref_nullable(have->type), want->type)))
                errors_add(c->errs, SCHEMA_INVALID,
                           "type \"%.*s\" has not the field \"%.*s\" of its interface \"%.*s\"",
                           STR_ARG(t->name), STR_ARG(want->name), STR_ARG(t->interfaces[i]->name));
        }
}

static void check_empty(struct checker *c, const struct type *t, size_t n, const char *what)
{
    if (n == 0)
        errors_add(c->errs, SCHEMA_INVALID, "type \"%.*s\" has no %s", STR_ARG(t->name), what);
}

static void check_type(struct checker *c, const struct type *t)
{
    size_t i;

    if (!t->introspection && !naming_is_legal(t->name))
        errors_add(c->errs, SCHEMA_INVALID, "\"%.*s\" cannot be the name of a type",
                   STR_ARG(t->name));
    switch (t->kind) {
    case TYPE_OBJECT:
    case TYPE_INTERFACE:
        check_empty(c, t, t->nfields, "fields");
        for (i = 0; i < t->nfields; i++)
            check_field(c, &t->fields[i], t);
        check_interfaces(c, t);
        break;
    case TYPE_UNION:
        check_empty(c, t, t->npossible, "members");
        break;
    case TYPE_ENUM:
        check_empty(c, t, t->nvalues, "values");
        for (i = 0; i < t->nvalues; i++)
            check_name(c, t->values[i].name, "value", t->name);
        break;
    case TYPE_INPUT_OBJECT:
        check_empty(c, t, t->ninputs, "fields");
        for (i = 0; i < t->ninputs; i++)
            check_input(c, &t->inputs[i], t->name);
        break;
    case TYPE_SCALAR:
        break;
    }
}

/* Section 3.10: an input object that needs itself cannot be written. Three states per type. */
enum visit_state {
    UNSEEN,
    ON_PATH,
    DONE,
};

#define MAX_INPUT_DEPTH 1000 /* of required input objects in input objects */

static bool needs_itself(const struct type *t, unsigned char *state, unsigned depth)
{
    size_t i;

    if (state[t->index] == DONE)
        return false;
    if (state[t->index] == ON_PATH || depth > MAX_INPUT_DEPTH)
        return true;
    state[t->index] = ON_PATH;
    for (i = 0; i < t->ninputs; i++) {
        struct type_ref r = t->inputs[i].type;

        if (type_ref_non_null(r) && !type_ref_is_list(r) && r.type->kind == TYPE_INPUT_OBJECT &&
            needs_itself(r.type, state, depth + 1))
            return true;
    }
    state[t->index] = DONE;
    return false;
}

void checks_run(const struct schema *s, struct errors *errs)
{
    struct checker c = {s, errs};
    unsigned char *state = xcalloc(s->ntypes + 1, 1);
    size_t i;

    for (i = 0; i < s->ntypes; i++) {
        check_type(&c, s->types[i]);
        if (s->types[i]->kind == TYPE_INPUT_OBJECT && state[i] == UNSEEN &&
            needs_itself(s->types[i], state, 0))
            errors_add(errs, SCHEMA_INVALID, "input type \"%.*s\" requires itself",
                       STR_ARG(s->types[i]->name));
    }
    xfree(state);
}
