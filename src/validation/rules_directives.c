/*
 * rules_directives.c - directives (specification section 5.7).
 *
 * Thread:   one at a time.
 * Memory:   the validation's scratch arena.
 */
#include "validation/rules.h"

static const char *location_name(unsigned location)
{
    switch (location) {
    case ON_QUERY:
        return "queries";
    case ON_MUTATION:
        return "mutations";
    case ON_SUBSCRIPTION:
        return "subscriptions";
    case ON_FIELD:
        return "fields";
    case ON_FRAGMENT_DEFINITION:
        return "fragment definitions";
    case ON_FRAGMENT_SPREAD:
        return "fragment spreads";
    case ON_INLINE_FRAGMENT:
        return "inline fragments";
    default:
        return "variable definitions";
    }
}

/* 5.7.1 Directives are defined, 5.7.2 Directives are in valid locations */
void rule_known_directives(struct validation *v, const struct ast_directives *d, unsigned location)
{
    for (size_t i = 0; i < d->n; i++) {
        const struct ast_directive *use = &d->items[i];
        const struct directive *def = schema_directive(v->schema, use->name);

        if (def == NULL)
            validation_error(v, use->offset, "unknown directive \"@%.*s\"", STR_ARG(use->name));
        else if ((def->locations & location) == 0)
            validation_error(v, use->offset, "directive \"@%.*s\" cannot be used on %s",
                             STR_ARG(use->name), location_name(location));
    }
}

/* 5.7.3 Directives are unique per location. */
void rule_unique_directives(struct validation *v, const struct ast_directives *d, unsigned location)
{
    struct map seen;

    (void)location;
    if (d->n < 2)
        return;
    map_init(&seen, v->arena);
    for (size_t i = 0; i < d->n; i++) {
        const struct ast_directive *use = &d->items[i], *other;
        const struct directive *def = schema_directive(v->schema, use->name);
        const void *earlier;

        if (def == NULL || def->repeatable || validation_first(&seen, use->name, use, &earlier))
            continue;
        other = earlier;
        validation_also(v,
                        validation_error(v, other->offset,
                                         "directive \"@%.*s\" can be used only once here",
                                         STR_ARG(use->name)),
                        use->offset);
    }
}
