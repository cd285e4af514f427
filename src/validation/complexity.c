/*
 * complexity.c - how much an operation may ask for: fields times the rows of the lists around them.
 *
 * Thread:   any.
 * Memory:   the program of an operation is in its arena, while it is written in a scratch arena.
 * Not here: counts of the text alone (limits.c).
 *
 * The selection tree becomes a program of sums and products on a stack, in
 * which each fragment is computed once and its result kept: a document of n
 * fragments that spread each other twice costs n steps. Where no limit is a
 * variable the program runs once, and only its result is kept.
 */
#include "validation/complexity.h"

#include "language/source.h"
#include "metrics/metrics.h"

/* Selection sets within each other are at most 600 (limits.c), fragments written out. */
#define MAX_STACK 1300

/* What a list within a value counts for, such as an array of composites: no limit holds it. */
#define VALUE_ITEMS 10

enum step_kind {
    STEP_OPEN,           /* push 0 */
    STEP_ADD,            /* top += n */
    STEP_TIMES,          /* pop; top += it * n */
    STEP_TIMES_VARIABLE, /* the same with the value of a variable, or n when it has none */
    STEP_KEEP,           /* pop into result `index` */
    STEP_RESULT,         /* top += result `index` */
};

struct cost_step {
    enum step_kind kind;
    uint32_t index; /* of a variable or a result */
    uint64_t n;
};

struct cost {
    const struct cost_step *steps;
    size_t n;
    size_t nresults;
};

struct measuring {
    const struct operation *op;
    struct arena *arena;  /* scratch */
    struct map fragments; /* of struct fragment_cost */
    struct {
        struct cost_step *items;
        size_t n, cap;
    } steps;
    size_t nresults;
    uint64_t list_rows;
    bool variable; /* there is a STEP_TIMES_VARIABLE */
};

struct fragment_cost {
    const struct ast_fragment *ast;
    bool known;
    uint32_t result;
};

/* --- writing the program ------------------------------------------------------------ */

static void add_step(struct measuring *m, enum step_kind kind, uint32_t index, uint64_t n)
{
    struct cost_step *last = m->steps.n ? &m->steps.items[m->steps.n - 1] : NULL;

    if (kind == STEP_ADD && last != NULL && last->kind == STEP_ADD)
        last->n += n;
    else
        VEC_PUSH(m->arena, &m->steps, (struct cost_step){kind, index, n});
}

static void add_set(struct measuring *m, const struct ast_selection_set *set,
                    const struct type *parent);

/* The value of an argument; NULL: not given. */
static const struct ast_value *argument_value(const struct field *f, const struct ast_selection *s,
                                              enum input_role role)
{
    for (size_t i = 0; i < f->narguments; i++)
        for (size_t j = 0; f->arguments[i].role == role && j < s->arguments.n; j++)
            if (str_eq(s->arguments.items[j].name, f->arguments[i].name))
                return s->arguments.items[j].value;
    return NULL;
}

/* Rows as a number; what is negative or none is refused later. */
static uint64_t rows_of(struct str text, uint64_t fallback)
{
    int64_t n;

    if (!str_to_i64(text, &n))
        return fallback;
    return n < 0 ? 0 : (uint64_t)n;
}

/* Times the rows that a number of rows asks for; NULL: not given. */
static void add_rows(struct measuring *m, const struct ast_value *limit)
{
    int variable;

    if (limit == NULL || limit->kind != AST_VARIABLE) {
        add_step(m, STEP_TIMES, 0,
                 limit != NULL && limit->kind == AST_INT ? rows_of(limit->text, m->list_rows)
                                                         : m->list_rows);
        return;
    }
    variable = operation_variable_find(m->op, limit->text);
    CHECK(variable >= 0);
    m->variable = true;
    add_step(m, STEP_TIMES_VARIABLE, (uint32_t)variable, m->list_rows);
}

/* A connection is a list of rows, whatever it selects of them. `first` and `last` stand together
 * only as variables of which one is null: their sum is never too little. */
static void add_connection(struct measuring *m, const struct field *f,
                           const struct ast_selection *s)
{
    const struct ast_value *first = argument_value(f, s, INPUT_FIRST);
    const struct ast_value *last = argument_value(f, s, INPUT_LAST);
    uint32_t result = (uint32_t)m->nresults++;

    if (first == NULL || last == NULL) {
        add_rows(m, first != NULL ? first : last);
        return;
    }
    add_step(m, STEP_KEEP, result, 0);
    add_step(m, STEP_OPEN, 0, 0);
    add_step(m, STEP_RESULT, result, 0);
    add_rows(m, first);
    add_step(m, STEP_OPEN, 0, 0);
    add_step(m, STEP_RESULT, result, 0);
    add_rows(m, last);
}

static void add_times(struct measuring *m, const struct field *f, const struct ast_selection *s)
{
    if (f->resolver == RESOLVE_CONNECTION)
        add_connection(m, f, s);
    else if (type_ref_is_list(f->type) && f->column != NULL)
        add_step(m, STEP_TIMES, 0, VALUE_ITEMS);
    else if (type_ref_is_list(f->type) && f->resolver != RESOLVE_INTROSPECTION &&
             f->resolver != RESOLVE_CONNECTION_PART)
        add_rows(m, argument_value(f, s, INPUT_LIMIT));
    else
        add_step(m, STEP_TIMES, 0, 1);
}

static bool is_distinct(const struct field *f, const struct ast_selection *s)
{
    for (size_t i = 0; i < f->narguments; i++)
        for (size_t j = 0; f->arguments[i].role == INPUT_DISTINCT_ON && j < s->arguments.n; j++)
            if (str_eq(s->arguments.items[j].name, f->arguments[i].name))
                return true;
    return false;
}

/* What reads all rows of a list, however many, counts as one that reads so many. */
static uint64_t own_cost(const struct measuring *m, const struct field *f,
                         const struct ast_selection *s)
{
    bool all = f->resolver == RESOLVE_AGGREGATE || f->resolver == RESOLVE_COUNT_DISTINCT ||
               f->resolver == RESOLVE_GROUPS || is_distinct(f, s);

    if (f->weight > 0)
        return f->weight;
    return all ? m->list_rows : 1;
}

static void add_field(struct measuring *m, const struct ast_selection *s, const struct type *parent)
{
    const struct field *f = schema_field(m->op->schema, parent, s->name);

    CHECK(f != NULL);
    add_step(m, STEP_ADD, 0, own_cost(m, f, s));
    if (s->selections.n == 0)
        return;
    add_step(m, STEP_OPEN, 0, 0);
    add_set(m, &s->selections, f->type.type);
    add_times(m, f, s);
}

static void add_fragment(struct measuring *m, struct str name)
{
    struct fragment_cost *f = map_get(&m->fragments, name);

    CHECK(f != NULL);
    if (!f->known) {
        add_step(m, STEP_OPEN, 0, 0);
        add_set(m, &f->ast->selections, schema_type(m->op->schema, f->ast->type_condition));
        f->result = (uint32_t)m->nresults++;
        f->known = true;
        add_step(m, STEP_KEEP, f->result, 0);
    }
    add_step(m, STEP_RESULT, f->result, 0);
}

/* Recursion is bounded by limits.c, cycles are no legal documents. */
static void add_set(struct measuring *m, const struct ast_selection_set *set,
                    const struct type *parent)
{
    for (size_t i = 0; i < set->n; i++) {
        const struct ast_selection *s = set->items[i];

        switch (s->kind) {
        case AST_FIELD:
            add_field(m, s, parent);
            break;
        case AST_INLINE_FRAGMENT:
            add_set(m, &s->selections,
                    s->name.len > 0 ? schema_type(m->op->schema, s->name) : parent);
            break;
        case AST_FRAGMENT_SPREAD:
            add_fragment(m, s->name);
            break;
        }
    }
}

static void index_fragments(struct measuring *m)
{
    const struct ast_document *doc = m->op->document;

    map_init(&m->fragments, m->arena);
    for (size_t i = 0; i < doc->n; i++) {
        struct fragment_cost *f;

        if (doc->definitions[i].kind != AST_FRAGMENT_DEFINITION)
            continue;
        f = ARENA_NEW(m->arena, struct fragment_cost);
        f->ast = doc->definitions[i].fragment;
        map_add(&m->fragments, f->ast->name, f);
    }
}

/* --- running it -------------------------------------------------------------------------- */

static void add_saturating(uint64_t *sum, uint64_t n)
{
    if (__builtin_add_overflow(*sum, n, sum))
        *sum = UINT64_MAX;
}

static uint64_t multiply_saturating(uint64_t a, uint64_t b)
{
    uint64_t product;

    return __builtin_mul_overflow(a, b, &product) ? UINT64_MAX : product;
}

static uint64_t variable_rows(const struct variables *v, const struct cost_step *s)
{
    const struct jval *value = v->values[s->index];

    return value != NULL && value->kind == JVAL_NUMBER ? rows_of(value->text, s->n) : s->n;
}

static uint64_t run(const struct cost *c, const struct variables *v, struct arena *a)
{
    uint64_t stack[MAX_STACK] = {0};
    uint64_t *results = ARENA_ARRAY(a, c->nresults, uint64_t);
    size_t top = 0;

    for (size_t i = 0; i < c->n; i++) {
        const struct cost_step *s = &c->steps[i];

        switch (s->kind) {
        case STEP_OPEN:
            CHECK(top + 1 < MAX_STACK);
            stack[++top] = 0;
            break;
        case STEP_ADD:
            add_saturating(&stack[top], s->n);
            break;
        case STEP_TIMES:
            top--;
            add_saturating(&stack[top], multiply_saturating(stack[top + 1], s->n));
            break;
        case STEP_TIMES_VARIABLE:
            top--;
            add_saturating(&stack[top], multiply_saturating(stack[top + 1], variable_rows(v, s)));
            break;
        case STEP_KEEP:
            results[s->index] = stack[top--];
            break;
        case STEP_RESULT:
            add_saturating(&stack[top], results[s->index]);
            break;
        }
    }
    return stack[0];
}

/* --- public -------------------------------------------------------------------------------- */

void complexity_measure(struct operation *op, size_t list_rows)
{
    struct measuring m = {
        .op = op,
        .arena = arena_new(0),
        .list_rows = list_rows > 0 ? list_rows : (uint64_t)op->schema->default_limit,
    };
    struct cost c;

    index_fragments(&m);
    add_set(&m, &op->ast->selections, op->root);
    c = (struct cost){m.steps.items, m.steps.n, m.nresults};
    if (m.variable) {
        c.steps = arena_copy(op->arena, c.steps, c.n * sizeof(*c.steps));
        op->cost = arena_copy(op->arena, &c, sizeof(c));
    } else {
        op->complexity = run(&c, NULL, m.arena);
    }
    arena_free(m.arena);
}

uint64_t complexity_of(const struct operation *op, const struct variables *v, struct arena *a)
{
    return op->cost != NULL ? run(op->cost, v, a) : op->complexity;
}

bool complexity_check(const struct operation *op, const struct variables *v, size_t max,
                      struct arena *a, struct errors *errs)
{
    uint64_t complexity = max > 0 ? complexity_of(op, v, a) : 0;
    struct error *e;

    if (max > 0 && op->cost != NULL) /* else it is looked at once, and known */
        metric_observe_number(HISTOGRAM_GRAPHQL_COMPLEXITY, complexity);
    if (complexity <= max)
        return true;
    e = errors_add(errs, QUERY_TOO_COMPLEX, "operation exceeds the complexity limit of %zu by %llu",
                   max, (unsigned long long)(complexity - max));
    error_at(e, errs, source_location(op->document->source, op->ast->offset));
    metric_add(METRIC_LIMIT_COMPLEXITY, 1);
    return false;
}
