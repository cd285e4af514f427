/*
 * junctions.c - many to many: the ways through join tables.
 *
 * Thread:   one at a time.
 * Memory:   what is made is in the schema's arena.
 * Not here: foreign keys themselves, and which name of several a way gets (relationships.c).
 *
 * A relation connects two others where a key of it has nothing but columns of two of its foreign
 * keys, and none has columns of one of them only: then each pair is connected once, and each row of
 * one side with many of the other. The column of the tenant says nothing here: it may be in the
 * key, or not.
 */
#include "schema/build.h"
#include "schema/naming.h"

static bool has_column(const struct relationship *w, const struct column *c)
{
    size_t i;

    for (i = 0; w != NULL && i < w->n; i++)
        if (w->from_columns[i] == c)
            return true;
    return false;
}

/* Is there a key of the columns of a and b? b: NULL for none. */
static bool is_unique(const struct relation *r, const struct relationship *a,
                      const struct relationship *b)
{
    size_t i, j;

    for (i = 0; i < r->nkeys; i++) {
        const struct key *k = &r->keys[i];

        for (j = 0; j < k->n; j++)
            if (!has_column(a, k->columns[j]) && !has_column(b, k->columns[j]) &&
                k->columns[j] != r->tenant_column)
                break;
        if (j == k->n)
            return true;
    }
    return false;
}

static struct way junction_way(struct builder *b, const struct relationship *near,
                               const struct relationship *far)
{
    struct junction *via = ARENA_NEW(b->arena, struct junction);
    struct str to = naming_plural(naming_lower_first(far->to->type_name, b->arena), b->arena);
    struct way out = {.preferred = to};
    size_t i;

    *via = (struct junction){near->from, near->from_columns, far->from_columns, far->n};
    out.way = (struct relationship){.from = near->to,
                                    .to = far->to,
                                    .to_many = true,
                                    .n = near->n,
                                    .from_columns = near->to_columns,
                                    .to_columns = far->to_columns,
                                    .via = via,
                                    .nullable = true};
    out.fallback =
        arena_printf(b->arena, "%.*sBy%.*s", STR_ARG(to), STR_ARG(via->relation->type_name));
    out.last = out.fallback;
    for (i = 0; i < far->n; i++)
        out.last =
            arena_printf(b->arena, "%.*s%s%.*s", STR_ARG(out.last), i ? "And" : "",
                         STR_ARG(naming_upper_first(far->from_columns[i]->field_name, b->scratch)));
    return out;
}

void junctions_add(struct builder *b, struct ways *ways)
{
    size_t i, j, k;

    for (i = 0; i < b->nrelations; i++) {
        const struct relation *r = &b->relations[i];

        for (j = 0; j < ways[i].n; j++)
            for (k = j + 1; k < ways[i].n; k++) {
                /* The lists may be those that grow, so copies. */
                struct relationship one = ways[i].items[j].way, other = ways[i].items[k].way;

                if (!ways[i].items[j].forward || !ways[i].items[k].forward ||
                    !is_unique(r, &one, &other) || is_unique(r, &one, NULL) ||
                    is_unique(r, &other, NULL))
                    continue;
                VEC_PUSH(b->scratch, &ways[builder_index(b, one.to)],
                         junction_way(b, &one, &other));
                VEC_PUSH(b->scratch, &ways[builder_index(b, other.to)],
                         junction_way(b, &other, &one));
            }
    }
}
