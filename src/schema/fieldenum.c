/*
 * fieldenum.c - the columns of a relation as an enum: ProjectField.
 *
 * Thread:   one at a time.
 * Memory:   in the schema's arena.
 * Not here: what columns are named for (inputs.c, aggregates.c).
 */
#include "schema/build.h"

/* A field may be named so, but no value of an enum. */
static bool is_reserved(struct str name)
{
    return str_is(name, "true") || str_is(name, "false") || str_is(name, "null");
}

/* Those that are equal or not: the others can be neither distinct nor grouped. */
void fieldenum_build(struct builder *b, const struct relation *r)
{
    struct enum_value *values = ARENA_ARRAY(b->scratch, r->ncolumns, struct enum_value);
    size_t i, n = 0;

    for (i = 0; i < r->ncolumns; i++) {
        const struct column *c = &r->columns[i];
        struct str name = c->field_name;

        if (!c->comparable || c->composite != NULL)
            continue;
        if (is_reserved(name))
            name = arena_printf(b->arena, "%.*s_", STR_ARG(name));
        values[n++] = (struct enum_value){
            .name = name, .label = name, .deprecated = c->deprecated, .value = (int)i};
    }
    if (n > 0) {
        struct type *t = builder_derive_type(b, TYPE_ENUM, r, "Field");

        t->description = STR("Fields of which values can be compared.");
        builder_set_values(b, t, values, n);
        b->built[builder_index(b, r)].field_enum = t;
    }
}
