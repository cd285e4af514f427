/*
 * limits.c - depth, breadth, aliases: counted before any rule runs; items of lists in variables.
 *
 * Thread:   one at a time.
 * Memory:   what is counted of a fragment stays in its definition.
 * Not here: tokens, bytes and nesting of the text (language/parser.c).
 *
 * Everything is counted as if fragments were written out where they are spread,
 * but each is measured once: a document of n fragments that spread each other
 * twice costs n steps, not 2^n. Sums saturate.
 */
#include "language/source.h"
#include "metrics/metrics.h"
#include "validation/rules.h"

/*
 * Selection sets within each other, fragments written out, whatever the
 * configured limits: those who walk the tree later do so recursively.
 */
#define HARD_MAX_NESTING ((size_t)600)

struct counts {
    size_t depth;   /* of fields; introspection counts as one */
    size_t nesting; /* of selection sets */
    size_t aliases;
    size_t fields;
    size_t root_fields; /* fields of this selection set itself */
    bool too_deep;      /* past HARD_MAX_NESTING */
};

static size_t saturating_add(size_t a, size_t b)
{
    size_t sum;

    return size_add(a, b, &sum) ? sum : SIZE_MAX;
}

static void count_set(struct validation *v, const struct ast_selection_set *set, size_t level,
                      struct counts *c);

/* A fragment's counts, measured at most once. In a cycle (an error later) it counts as empty. */
static void count_fragment(struct validation *v, struct definition *d, size_t level,
                           struct counts *c)
{
    if (d->measure.state == 0) {
        struct counts own = {0};

        d->measure.state = 1;
        count_set(v, &d->fragment->selections, level, &own);
        c->too_deep |= own.too_deep;
        d->measure.depth = own.depth;
        d->measure.nesting = own.nesting;
        d->measure.aliases = own.aliases;
        d->measure.fields = own.fields;
        d->measure.root_fields = own.root_fields;
        d->measure.state = 2;
    }
    if (d->measure.state == 1)
        return;
    c->depth = size_max(c->depth, d->measure.depth);
    c->nesting = size_max(c->nesting, d->measure.nesting);
    c->aliases = saturating_add(c->aliases, d->measure.aliases);
    c->fields = saturating_add(c->fields, d->measure.fields);
    c->root_fields = saturating_add(c->root_fields, d->measure.root_fields);
    c->too_deep |= level + d->measure.nesting > HARD_MAX_NESTING;
}

static bool is_introspection(struct str name)
{
    return str_eq(name, STR("__schema")) || str_eq(name, STR("__type"));
}

static void count_field(struct validation *v, const struct ast_selection *s, size_t level,
                        struct counts *c)
{
    struct counts below = {0};

    count_set(v, &s->selections, level, &below);
    if (is_introspection(s->name))
        below.depth = 0;
    c->depth = size_max(c->depth, below.depth + 1);
    c->nesting = size_max(c->nesting, below.nesting);
    c->aliases = saturating_add(c->aliases, saturating_add(below.aliases, s->alias.len > 0));
    c->fields = saturating_add(c->fields, saturating_add(below.fields, 1));
    c->root_fields = saturating_add(c->root_fields, 1);
    c->too_deep |= below.too_deep;
}

/* level: sets around this one. The nesting of an empty set is 0. */
static void count_set(struct validation *v, const struct ast_selection_set *set, size_t level,
                      struct counts *c)
{
    size_t inner = 0;

    if (set->n == 0)
        return;
    if (level >= HARD_MAX_NESTING) {
        c->too_deep = true;
        return;
    }
    for (size_t i = 0; i < set->n && !c->too_deep; i++) {
        const struct ast_selection *s = set->items[i];
        struct definition *fragment;

        c->nesting = 0;
        switch (s->kind) {
        case AST_FIELD:
            count_field(v, s, level + 1, c);
            break;
        case AST_INLINE_FRAGMENT:
            count_set(v, &s->selections, level + 1, c);
            break;
        case AST_FRAGMENT_SPREAD:
            fragment = validation_fragment(v, s->name);
            if (fragment)
                count_fragment(v, fragment, level + 1, c);
            break;
        }
        inner = size_max(inner, c->nesting);
    }
    c->nesting = inner + 1;
}

/* Add an error when a count passes its limit; 0 is no limit. */
static bool within(struct validation *v, const struct definition *d, size_t count, size_t limit,
                   const char *what, enum metric refused)
{
    struct error *e;

    if (limit == 0 || count <= limit)
        return true;
    metric_add(refused, 1);
    e = errors_add(v->errs, QUERY_TOO_COMPLEX, "operation exceeds the limit of %zu %s", limit,
                   what);
    error_at(e, v->errs, source_location(v->document->source, d->operation->offset));
    return false;
}

static bool check_operation(struct validation *v, const struct definition *d)
{
    struct counts c = {0};

    count_set(v, &d->operation->selections, 0, &c);
    if (c.too_deep)
        return within(v, d, SIZE_MAX, HARD_MAX_NESTING, "levels of nesting", METRIC_LIMIT_NESTING);
    return within(v, d, c.depth, v->limits->max_depth, "levels of fields", METRIC_LIMIT_DEPTH) &&
           within(v, d, c.aliases, v->limits->max_aliases, "aliases", METRIC_LIMIT_ALIASES) &&
           within(v, d, c.root_fields, v->limits->max_root_fields, "root fields",
                  METRIC_LIMIT_ROOT_FIELDS) &&
           within(v, d, c.fields, v->limits->max_fields, "fields", METRIC_LIMIT_FIELDS);
}

static bool document_within(struct validation *v, size_t count, size_t limit, const char *what,
                            enum metric refused)
{
    if (limit == 0 || count <= limit)
        return true;
    metric_add(refused, 1);
    errors_add(v->errs, QUERY_TOO_COMPLEX, "document exceeds the limit of %zu %s", limit, what);
    return false;
}

bool limits_check(struct validation *v)
{
    bool ok = document_within(v, v->document->nfragments, v->limits->max_fragments, "fragments",
                              METRIC_LIMIT_FRAGMENTS) &&
              document_within(v, v->document->ndirectives, v->limits->max_directives, "directives",
                              METRIC_LIMIT_DIRECTIVES);

    for (size_t i = 0; i < v->ndefinitions && ok; i++) {
        if (v->definitions[i].operation)
            ok = check_operation(v, &v->definitions[i]);
    }
    return ok;
}

/* --- variables ----------------------------------------------------------------------- */

/* The recursion ends where the JSON parser's limit of depth does. */
static size_t count_items(const struct jval *v)
{
    size_t n = 0;

    if (v->kind == JVAL_ARRAY) {
        n = v->n;
        for (size_t i = 0; i < v->n; i++)
            n += count_items(v->items[i]);
    } else if (v->kind == JVAL_OBJECT) {
        for (size_t i = 0; i < v->n; i++)
            n += count_items(v->members[i].value);
    }
    return n;
}

bool limits_variables(const struct jval *given, size_t max, struct errors *errs)
{
    if (max == 0 || given == NULL || count_items(given) <= max)
        return true;
    errors_add(errs, QUERY_TOO_COMPLEX, "variables exceed the limit of %zu items in lists", max);
    metric_add(METRIC_LIMIT_LIST_VARIABLES, 1);
    return false;
}
