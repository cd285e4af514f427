/*
 * rules_arguments.c - arguments of fields and directives (specification section 5.4).
 *
 * Thread:   one at a time.
 * Memory:   the validation's scratch arena.
 */
#include "validation/rules.h"

/* 5.4.1 Argument names */
void rule_known_arguments(struct validation *v, const struct arguments_site *s)
{
    for (size_t i = 0; i < s->given->n; i++) {
        const struct ast_argument *arg = &s->given->items[i];
        struct str hint = STR("");
        size_t k = 0;

        while (k < s->ndefined && !str_eq(s->defined[k].name, arg->name))
            k++;
        if (k < s->ndefined)
            continue;
        if (s->ndefined)
            hint = validation_suggest(v, arg->name, &s->defined[0].name, s->ndefined,
                                      sizeof(s->defined[0]));
        validation_error(v, arg->offset, "unknown argument \"%.*s\" on %s \"%s%.*s\"%.*s",
                         STR_ARG(arg->name), s->of, s->sigil, STR_ARG(s->name), STR_ARG(hint));
    }
}

/* 5.4.2 Argument uniqueness */
void rule_unique_arguments(struct validation *v, const struct arguments_site *s)
{
    struct map seen;

    if (s->given->n < 2)
        return;
    map_init(&seen, v->arena);
    for (size_t i = 0; i < s->given->n; i++) {
        const struct ast_argument *arg = &s->given->items[i], *other;
        const void *earlier;

        if (validation_first(&seen, arg->name, arg, &earlier))
            continue;
        other = earlier;
        validation_also(v,
                        validation_error(v, other->offset,
                                         "there can be only one argument named \"%.*s\"",
                                         STR_ARG(arg->name)),
                        arg->offset);
    }
}

static bool is_given(const struct ast_arguments *given, struct str name)
{
    for (size_t i = 0; i < given->n; i++) {
        if (str_eq(given->items[i].name, name))
            return true;
    }
    return false;
}

/* 5.4.3 Required arguments. That a given one is not null is for rules_values.c. */
void rule_required_arguments(struct validation *v, const struct arguments_site *s)
{
    for (size_t i = 0; i < s->ndefined; i++) {
        const struct input_value *arg = &s->defined[i];
        struct str type;

        if (!type_ref_non_null(arg->type) || arg->default_value || is_given(s->given, arg->name))
            continue;
        type = validation_type_name(v, arg->type);
        validation_error(v, s->offset,
                         "%s \"%s%.*s\" requires the argument \"%.*s\" of type \"%.*s\"", s->of,
                         s->sigil, STR_ARG(s->name), STR_ARG(arg->name), STR_ARG(type));
    }
}
